// A chart by uPlot, with a key of its own: above the picture stand the newest values, or those under
// the pointer. Whoever cannot see it is told `summary`.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { html, useEffect, useRef, useState } from "./dom.js";
import { useMedia } from "./media.js";
import { timeRange } from "./time_range.js";

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {1 | 2 | 3} color
 * @property {boolean} [dashed]
 * @property {number} [bars] drawn as bars, each for so many seconds from its point's time
 */

/** The size of the picture, in rem. */
const heightRem = 9.5;

const darkColors = matchMedia("(prefers-color-scheme: dark)");

/** @param {string} name */
function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** @param {number} seconds */
function hourAndMinute(seconds) {
  const date = new Date(seconds * 1000);
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}

/**
 * @param {Line[]} lines
 * @param {(value: number) => string} format
 * @param {(index: number | null) => void} onIndex
 * @param {number} width in pixels
 * @param {number} height in pixels
 * @returns {uPlot.Options}
 */
function optionsFor(lines, format, onIndex, width, height) {
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const lasts = lines.find(({ bars }) => bars)?.bars;
  const axis = { stroke: color("--quiet"), font, grid: { stroke: color("--grid"), width: 1 }, ticks: { show: false } };
  return {
    width, height,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    hooks: { setCursor: [(plot) => onIndex(plot.cursor.idx ?? null)] },
    scales: {
      ...(lasts && { x: { range: (_, first, last) => /** @type {uPlot.Range.MinMax} */ (timeRange(first, last, lasts)) } }),
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 24, values: (_, at) => at.map(hourAndMinute) },
      { ...axis, size: 52, splits: undefined, space: 34, values: (_, at) => at.map((value) => (value === 0 ? "0" : format(value))) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: line.bars ? undefined : color(`--series-${line.color}`),
        fill: line.bars ? color(`--series-${line.color}`) : undefined,
        width: line.bars ? 0 : line.dashed ? 1.25 : 2,
        dash: line.dashed ? [4, 4] : undefined,
        paths: line.bars ? uPlot.paths.bars?.({ size: [0.75, 60], align: 1 }) : undefined,
        points: { show: false },
        spanGaps: false,
      })),
    ],
  };
}

/**
 * @param {object} props
 * @param {string} props.title
 * @param {string} [props.unit] behind the title
 * @param {Line[]} props.lines
 * @param {(number | null)[][]} props.data times in seconds, then a list for each line
 * @param {(value: number | null) => string} props.format
 * @param {string} props.summary what the picture says
 */
export function Chart({ title, unit, lines, data, format, summary }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const [index, setIndex] = useState(/** @type {number | null} */ (null));
  const dark = useMedia(darkColors);
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const height = heightRem * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const made = new uPlot(
      optionsFor(lines, format, setIndex, element.clientWidth, height),
      /** @type {uPlot.AlignedData} */ (latest.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [dark]);
  useEffect(() => plot.current?.setData(/** @type {uPlot.AlignedData} */ (data)), [data]);

  const shown = index !== null && index < data[0].length ? index : data[0].length - 1;
  const at = data[0][shown];
  return html`<figure class="card chart">
    <figcaption><h2>${title}${unit && html` <span class="quiet unit">${unit}</span>`}</h2>
      <p class="chart-key" aria-hidden="true">
        ${lines.map((line, i) => html`<span class="key key-${line.color} ${line.dashed ? "dashed" : ""}">${line.label} <b>${format(data[i + 1][shown] ?? null)}</b></span>`)}
        ${index !== null && at !== null && html`<span class="chart-at">${hourAndMinute(at ?? 0)}</span>`}
      </p>
    </figcaption>
    <div class="chart-picture" ref=${place} role="img" aria-label="${title}${unit ? `, ${unit}` : ""}: ${summary}"></div>
  </figure>`;
}
