// What the page knows, and how the stream's events change it. Pure: state in, state out.

import { plainName } from "../base/visible_text.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Snapshot} Snapshot */
/** @typedef {import("./types.js").Change} Change */
/** @typedef {import("./types.js").Agent} Agent */
/** @typedef {import("./types.js").Series} Series */
/** @typedef {import("./types.js").Point} Point */

const minuteMs = 60_000;
const hourMs = 3_600_000;
const minutesKept = 60;
const hoursKept = 24;

/** @param {number} now @returns {State} */
export function initialState(now) {
  return {
    session: undefined, farewell: "", changed: "", connection: { state: "starting", since: now, reason: "" }, returns: 0, ...nothing(),
  };
}

/** What is forgotten when nobody is logged in. */
export function nothing() {
  return {
    skew: 0, hub: null, overview: null, series: /** @type {Series} */ ({ minutes: [], hours: [] }),
    agents: /** @type {Map<string, Agent>} */ (new Map()), agentsVersion: 0, complete: false, at: 0,
  };
}

/**
 * What is told when the page finds itself logged in as another agent than it showed: somebody logged
 * in in another tab, which shares the cookie.
 * @param {string} before whom the page showed; empty: nobody
 * @param {string} now
 */
export function changedText(before, now) {
  if (before === "" || before === now) return "";
  return `This browser is logged in as ${plainName(now)} since somebody did that in another tab. Until now this page showed `
    + `${plainName(before)}; what was not sent yet as that one has not been sent.`;
}

/**
 * The state after an event of the stream; events that are not known change nothing.
 * @param {State} state
 * @param {string} event
 * @param {any} data
 * @param {number} now by the browser's clock
 * @returns {State}
 */
export function apply(state, event, data, now) {
  switch (event) {
    case "snapshot": return applySnapshot(state, data, now);
    case "agents": return applyRows(state, data);
    case "change": return applyChange(state, data, now);
    default: return state;
  }
}

/** @param {State} state @param {Snapshot} data @param {number} now @returns {State} */
function applySnapshot(state, data, now) {
  const before = state.hub;
  const restarted = before !== null && before.started_at !== data.hub.started_at;
  return {
    ...state,
    returns: state.returns + (state.connection.state === "live" ? 0 : 1),
    connection: { state: "live", since: now, reason: "", restarted: restarted || state.connection.restarted },
    skew: data.at - now, hub: data.hub, overview: data.overview, series: { ...data.series, upTo: data.at },
    agents: new Map(data.agents.map((agent) => [agent.id, agent])), agentsVersion: state.agentsVersion + 1,
    complete: data.complete !== false, at: data.at,
  };
}

/** @param {State} state @param {{ agents: Agent[], complete?: boolean }} data @returns {State} */
function applyRows(state, data) {
  for (const agent of data.agents) state.agents.set(agent.id, agent);
  return { ...state, agentsVersion: state.agentsVersion + 1, complete: data.complete === true };
}

/** @param {State} state @param {Change} data @param {number} now @returns {State} */
function applyChange(state, data, now) {
  let { agentsVersion } = state;
  for (const agent of data.agents ?? []) state.agents.set(agent.id, agent);
  for (const id of data.gone ?? []) state.agents.delete(id);
  if (data.agents?.length || data.gone?.length) ++agentsVersion;
  return {
    ...state, agentsVersion, at: data.at, skew: data.at - now,
    overview: data.overview ?? state.overview,
    series: data.point ? withPoint(state.series, data.point) : state.series,
  };
}

/**
 * A point has the messages since the one before and goes into the minute and the hour that it lies in.
 * @param {Series} series @param {Point} point @returns {Series}
 */
export function withPoint(series, point) {
  const [at, messages, ...latencies] = point;
  const minute = Math.floor(at / minuteMs) * minuteMs;
  const hour = Math.floor(at / hourMs) * hourMs;
  const minutes = series.minutes.slice(-minutesKept);
  const last = minutes.at(-1);
  if (last && Math.floor(last[0] / minuteMs) * minuteMs === minute) {
    const kept = /** @type {(number | null)[]} */ (latencies).map((value, i) => value ?? last[i + 2]);
    minutes[minutes.length - 1] = /** @type {Point} */ (/** @type {unknown} */ ([last[0], last[1] + messages, ...kept]));
  } else {
    minutes.push([minute, messages, ...latencies]);
  }
  const hours = series.hours.slice(-hoursKept);
  const lastHour = hours.at(-1);
  if (lastHour && Math.floor(lastHour[0] / hourMs) * hourMs === hour) {
    hours[hours.length - 1] = [lastHour[0], lastHour[1] + messages];
  } else {
    hours.push([hour, messages]);
  }
  return { minutes: minutes.slice(-minutesKept), hours: hours.slice(-hoursKept), upTo: at };
}
