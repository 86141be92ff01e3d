// Numbers, sizes and times as people read them. Times are milliseconds since 1970 by the hub's
// clock; the store knows how far the browser's is away from it.

const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dayTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** What stands where there is no value. */
export const none = "–";

/** @param {number | null | undefined} value */
export function count(value) {
  return value === null || value === undefined ? none : whole.format(value);
}

/** Above 9,999 with a letter: 12.3K. @param {number | null | undefined} value */
export function short(value) {
  if (value === null || value === undefined) return none;
  return value < 10_000 ? whole.format(value) : compact.format(value);
}

/** @param {number | null | undefined} value per second */
export function rate(value) {
  if (value === null || value === undefined) return none;
  if (value === 0) return "0";
  if (value < 0.1) return "<0.1";
  return value < 10 ? String(Number(value.toFixed(1))) : short(Math.round(value));
}

/** @param {number | null | undefined} ms */
export function latency(ms) {
  if (ms === null || ms === undefined) return none;
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 10) return `${Math.round(ms)} ms`;
  return ms >= 0.1 || ms === 0 ? `${Number(ms.toFixed(1))} ms` : "<0.1 ms";
}

/** @param {number | null | undefined} value */
export function bytes(value) {
  if (value === null || value === undefined) return none;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : Number(value.toFixed(1))} ${units[unit]}`;
}

/** How long: 12 s, 5 min, 3 h, 2 days. @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/** Two units, for what lasts: 3 h 12 min. @param {number} ms */
export function longDuration(ms) {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return duration(ms);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return `${days} ${days === 1 ? "day" : "days"} ${hours % 24} h`;
}

/** How long ago. @param {number | null | undefined} at @param {number} now both by the hub's clock */
export function ago(at, now) {
  if (at === null || at === undefined) return none;
  const ms = now - at;
  return ms < 5000 ? "now" : `${duration(ms)} ago`;
}

/** @param {number | null | undefined} at */
export function time(at) {
  return at === null || at === undefined ? none : clockTime.format(at);
}

/** @param {number | null | undefined} at */
export function dateTime(at) {
  return at === null || at === undefined ? none : dayTime.format(at);
}

/** `1 agent`, `3 agents`. @param {number} n @param {string} one @param {string} [many] */
export function plural(n, one, many = one + "s") {
  return `${whole.format(n)} ${n === 1 ? one : many}`;
}
