// What the charts draw, made of the stream's series. Pure.

/** @typedef {import("../live/types.js").Series} Series */

const minuteMs = 60_000;
/** Of the file's bound: with less room than that the bar is red. */
const leastRoom = 0.1;
/** A minute that has just begun says little: it is left out for so long. */
const leastMs = 20_000;

/**
 * Messages a second in each minute of the last hour. The running minute counts for the part that is over.
 * @param {Series} series
 * @returns {(number | null)[][]} seconds since 1970, and the rate
 */
export function ratesByMinute({ minutes, upTo = 0 }) {
  /** @type {number[]} */
  const times = [];
  /** @type {number[]} */
  const rates = [];
  for (const [at, messages] of minutes) {
    const over = Math.min(minuteMs, Math.max(0, upTo - at));
    if (over < leastMs && minutes.length > 1) continue;
    times.push(at / 1000);
    rates.push(messages / Math.max(1, over / 1000));
  }
  return [times, rates];
}

/** @param {Series} series */
export function countsByHour({ hours }) {
  return [hours.map(([at]) => at / 1000), hours.map(([, messages]) => messages)];
}

/** @param {Series} series @returns {(number | null)[][]} seconds since 1970; p50 and p99 of delivery, then of commits */
export function latencies({ minutes }) {
  return [
    minutes.map(([at]) => at / 1000), minutes.map((point) => point[4]), minutes.map((point) => point[5]),
    minutes.map((point) => point[2]), minutes.map((point) => point[3]),
  ];
}

/**
 * The bar of the store: how much of its bound the file has, and whether there is too little room. They
 * are not each other's rest: a disk that others fill leaves a small file no room.
 * @param {{ file_bytes: number, room_bytes: number, max_bytes: number }} store
 */
export function storeBar({ file_bytes, room_bytes, max_bytes }) {
  if (!max_bytes) return { share: 0, bad: false };
  return { share: Math.min(1, file_bytes / max_bytes), bad: room_bytes < leastRoom * max_bytes };
}

/**
 * The highest value of a list that charts draw, and where it is.
 * @param {(number | null)[]} times in seconds
 * @param {(number | null)[]} values
 * @returns {{ value: number, at: number } | null} `at` in milliseconds; null when there is no value above 0
 */
export function peak(times, values) {
  let best = -1;
  values.forEach((value, i) => {
    if (value !== null && value > 0 && (best < 0 || value > (values[best] ?? 0))) best = i;
  });
  return best < 0 ? null : { value: values[best] ?? 0, at: (times[best] ?? 0) * 1000 };
}
