// Which agents need somebody to look: mail waits for them and they do not read it. Pure.

/** @typedef {import("../live/types.js").Agent} Agent */
/** @typedef {import("../live/types.js").Overview} Overview */

/** Mail that waits for less is on its way. */
const patienceMs = 5 * 60_000;
const most = 5;

/**
 * Those first that somebody can do something about now: whose mail grows, then who is connected and
 * does not read, then who is offline and names that nobody has; within each who has the most mail.
 * @param {Iterable<Agent>} agents
 * @param {Overview} overview
 * @param {number} now by the hub's clock
 * @returns {{ worst: { agent: Agent, why: string, grew: number }[], others: number }}
 */
export function needAttention(agents, overview, now) {
  const growing = new Map((overview.unread.growing).map(({ id, grew }) => [id, grew]));
  const found = [];
  for (const agent of agents) {
    const waits = agent.oldest_unread_at === null ? 0 : now - agent.oldest_unread_at;
    const grew = growing.get(agent.id) ?? 0;
    if (!agent.unread || (waits < patienceMs && !grew)) continue;
    found.push({ agent, grew, why: reason(agent, grew), unread: agent.unread, rank: rank(agent, grew) });
  }
  found.sort((a, b) => a.rank - b.rank || b.unread - a.unread || (a.agent.id < b.agent.id ? -1 : 1));
  return {
    worst: found.slice(0, most).map(({ agent, why, grew }) => ({ agent, why, grew })), others: Math.max(0, found.length - most),
  };
}

/** @param {Agent} agent @param {number} grew */
function rank(agent, grew) {
  if (grew) return 0;
  return agent.state === "offline" || agent.known === false ? 2 : 1;
}

/** @param {Agent} agent @param {number} grew */
function reason(agent, grew) {
  if (agent.known === false) return "nobody has this name: misspelled?";
  if (agent.state === "offline") return "offline";
  if (grew) return "falls behind";
  return "connected, does not read";
}
