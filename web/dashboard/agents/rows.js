// Which agents the table shows, and in which order. Pure.

/** @typedef {import("../live/types.js").Agent} Agent */

/** @typedef {"id" | "state" | "seen" | "sent" | "received" | "unread" | "oldest"} SortKey */

/**
 * @typedef {object} Filter
 * @property {string} q looked for in names, status texts and capabilities
 * @property {string} state `""`, `online`, `working`, `idle`, `offline`, `unread` or `unknown`
 * @property {SortKey} sort
 * @property {boolean} reverse
 */

/** @type {Record<Agent["state"], number>} */
const stateOrder = { working: 0, idle: 1, polling: 2, offline: 3 };

/**
 * What is compared, smallest first; what is not known comes last, in both directions. Numbers have
 * the largest first, and times the oldest unread and the newest seen.
 * @type {Record<SortKey, (agent: Agent) => number | string | null>}
 */
const keyOf = {
  id: (agent) => agent.id,
  state: (agent) => stateOrder[agent.state],
  seen: (agent) => (agent.last_seen === null ? null : -agent.last_seen),
  sent: (agent) => -agent.sent_24h,
  received: (agent) => -agent.received_24h,
  unread: (agent) => (agent.unread === null ? null : -agent.unread),
  oldest: (agent) => agent.oldest_unread_at,
};

export const sortKeys = /** @type {SortKey[]} */ (Object.keys(keyOf));
export const stateFilters = ["", "online", "working", "idle", "offline", "unread", "unknown"];

/** @param {URLSearchParams} params of the address @returns {Filter} */
export function filterOf(params) {
  const sort = /** @type {SortKey} */ (params.get("sort") ?? "state");
  const state = params.get("state") ?? "";
  return {
    q: params.get("q") ?? "", state: stateFilters.includes(state) ? state : "",
    sort: sortKeys.includes(sort) ? sort : "state", reverse: params.has("reverse"),
  };
}

/** @param {Agent} agent @param {Filter} filter */
export function matches(agent, { q, state }) {
  if (!inState(agent, state)) return false;
  if (!q) return true;
  const wanted = q.toLowerCase().trim();
  return [agent.id, agent.name ?? "", agent.status ?? "", ...agent.capabilities].some((text) => text.toLowerCase().includes(wanted));
}

/** @param {Agent} agent @param {string} state */
function inState(agent, state) {
  switch (state) {
    case "": return true;
    case "online": return agent.state !== "offline";
    case "idle": return agent.state === "idle" || agent.state === "polling";
    case "unread": return Boolean(agent.unread);
    case "unknown": return agent.known === false;
    default: return agent.state === state;
  }
}

/** @param {string} a @param {string} b */
function byText(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @param {Filter} filter @returns {(a: Agent, b: Agent) => number} names decide between equals */
export function comparison({ sort, reverse }) {
  const key = keyOf[sort];
  const sign = reverse ? -1 : 1;
  return (a, b) => {
    const left = key(a);
    const right = key(b);
    if (left === null || right === null) {
      if (left !== right) return left === null ? 1 : -1;
    } else if (left !== right) {
      const order = typeof left === "string" ? byText(left, String(right)) : left - Number(right);
      if (order) return sign * order;
    }
    return byText(a.id, b.id);
  };
}

/**
 * The names of the rows.
 * @param {Map<string, Agent>} agents
 * @param {Filter} filter
 * @returns {string[]}
 */
export function sorted(agents, filter) {
  return [...agents.values()].filter((agent) => matches(agent, filter)).sort(comparison(filter)).map(({ id }) => id);
}

/**
 * The same rows in the order that they had: those that are gone are left out, new ones come behind.
 * @param {string[]} before
 * @param {string[]} now
 * @returns {string[]}
 */
export function held(before, now) {
  const left = new Set(now);
  const kept = before.filter((id) => left.delete(id));
  return [...kept, ...left];
}
