// Charts of what was in the last minutes.

import uPlot from "/assets/vendor/uplot.js";
import { el, text } from "./dom.js";
import * as f from "./format.js";

const colors = ["--line-1", "--line-2", "--line-3", "--line-4"];
const height = 110;

// Chart draws some numbers over time. of: what to draw, each with a label and a
// function that reads it from a sample's part. least is what the axis reaches.
export class Chart {
  #plot = null;
  #of;
  #say;
  #least;
  #box = el("div", { class: "plot" });
  #at = el("time");
  #values;

  constructor(title, say, of, least = 0) {
    this.#of = of;
    this.#say = say;
    this.#least = least;
    this.#values = of.map(() => el("b", {}, "–"));
    this.element = el("figure", { class: "chart" },
      el("figcaption", {}, el("span", {}, title), this.#at,
        of.map((o, k) => el("span", { class: `key line-${k + 1}` }, o.label, this.#values[k]))),
      this.#box);
  }

  // show draws parts: [{time, part}].
  show(parts) {
    const data = [parts.map((p) => new Date(p.time) / 1000), ...this.#of.map((o) => parts.map((p) => (p.part ? o.read(p.part) ?? null : null)))];
    const width = this.#box.clientWidth;
    if (!width) return;
    if (!this.#plot) this.#plot = new uPlot(this.#options(width), data, this.#box);
    else this.#plot.setData(data);
    if (this.#plot.width !== width) this.#plot.setSize({ width, height });
    this.#tell(this.#plot);
  }

  // tell says the values under the pointer, or the newest.
  #tell(plot) {
    const [times, ...lines] = plot.data, pointed = plot.cursor.idx;
    const at = pointed ?? times.length - 1;
    text(this.#at, pointed === null || pointed === undefined ? "" : f.clock(times[at] * 1000));
    lines.forEach((line, k) => text(this.#values[k], line[at] === null || line[at] === undefined ? "–" : this.#say(line[at])));
  }

  #options(width) {
    const probe = el("i");
    this.#box.append(probe);
    const color = (name) => { // as the theme has it
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    const axis = { stroke: color("--muted"), grid: { stroke: color("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const options = {
      width, height, pxAlign: 0, padding: [8, 26, 0, 0],
      cursor: { y: false, points: { size: 6 }, drag: { x: false } },
      legend: { show: false },
      scales: { x: { time: true }, y: { range: (u, low, high) => [0, Math.max(high * 1.1, this.#least) || 1] } },
      axes: [
        { ...axis, values: (u, ticks) => ticks.map((t) => f.clock(t * 1000)), space: 80, size: 26 },
        { ...axis, values: (u, ticks) => ticks.map((t) => (t === 0 ? "0" : this.#say(t))), size: 66, space: 28 },
      ],
      series: [{}, ...this.#of.map((_, k) => ({ stroke: color(colors[k]), width: 1.6, points: { show: false } }))],
      hooks: { setCursor: [(plot) => this.#tell(plot)] },
    };
    probe.remove();
    return options;
  }

  close() { this.#plot?.destroy(); }
}
