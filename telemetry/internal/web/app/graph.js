// The graph: laid out by Graphviz, in the browser, from graph.dot. What only
// changes its numbers and colors is written into the drawing that is there, so
// that nothing jumps.

import { instance } from "/assets/vendor/viz.js";
import { el, text } from "./dom.js";
import { partsOf, fits } from "./dot.js";
import { Detail } from "./detail.js";
import { Viewport } from "./viewport.js";

const isPart = /^(stage|channel)-/;
let viz;

export class GraphView {
  #box = el("div", { class: "canvas", tabIndex: 0, role: "group", ariaLabel: "The stages and channels of the pipeline" });
  #svg = null;
  #detail = null;
  #laid = new Map(); // the parts, as they were when they were laid out
  #parts = new Map(); // as they are
  #upright = false;
  #dot = "";
  #chosen = "";
  #busy = false;
  #choose;
  #viewport;

  constructor(choose) {
    this.#choose = choose;
    this.#viewport = new Viewport(this.#box, (scale) => { if (this.#detail?.show(scale)) this.#write(); }, (target) => this.#pick(target));
    this.element = el("section", { class: "graph" }, this.#box, legend(),
      el("div", { class: "zoom", role: "group", ariaLabel: "Zoom" },
        button("+", "Zoom in (+)", () => this.#viewport.zoom(1.4)), button("−", "Zoom out (−)", () => this.#viewport.zoom(1 / 1.4)),
        button("Fit", "Fit (0)", () => this.#viewport.fit())));
    new ResizeObserver(() => { if (this.#dot && this.#upright !== this.#isUpright()) this.draw(this.#dot); }).observe(this.#box);
  }

  get dot() { return this.#dot; }

  // svg is the graph as a file of its own.
  async svg() {
    viz ??= await instance();
    return viz.renderString(this.#dot, { format: "svg" });
  }

  // draw shows a graph in the language of Graphviz.
  async draw(dot) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const parts = partsOf(dot);
      this.#dot = dot;
      if (!this.#svg || this.#upright !== this.#isUpright() || !fits(this.#laid, parts)) await this.#lay(dot, parts);
      this.#parts = parts;
      this.#write();
    } finally {
      this.#busy = false;
    }
  }

  // isUpright says that there is more room from top to bottom, as on a phone.
  #isUpright() { return this.#box.clientHeight > this.#box.clientWidth * 1.1; }

  async #lay(dot, parts) {
    viz ??= await instance();
    this.#upright = this.#isUpright();
    const svg = viz.renderSVGElement(this.#upright ? dot.replace("rankdir=LR", "rankdir=TB") : dot, { engine: "dot" });
    svg.classList.toggle("upright", this.#upright);
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    for (const a of svg.querySelectorAll("a")) a.replaceWith(...a.childNodes); // a tooltip needs no link
    svg.querySelector("g.graph").append(...svg.querySelectorAll("g.cluster")); // no arrow goes over a group's name
    for (const g of svg.querySelectorAll("g.node, g.edge")) if (isPart.test(g.id)) makeButton(g);
    const focused = this.#box.contains(document.activeElement) ? document.activeElement.id : "";
    this.#laid = this.#parts = parts;
    this.#svg = svg;
    this.#detail = new Detail(svg);
    this.#box.replaceChildren(svg);
    this.#viewport.show(svg);
    if (focused) svg.getElementById(focused)?.focus();
  }

  #write() {
    for (const [id, part] of this.#parts) {
      const g = this.#svg.getElementById(id);
      if (!g || !isPart.test(id)) continue;
      const kind = g.classList.contains("edge") ? "edge" : "node";
      g.setAttribute("class", `${kind} ${part.class}${id === this.#chosen ? " chosen" : ""}`);
      g.setAttribute("aria-label", part.label.filter(Boolean).join(", "));
      text(g.querySelector("title"), part.tooltip ?? "");
      g.querySelectorAll("text").forEach((line, k) => text(line, this.#detail.brief(part.label[k] ?? "")));
      if (part.penwidth) g.querySelector("path:not(.reach)")?.setAttribute("stroke-width", part.penwidth);
    }
  }

  mark(id) {
    this.#chosen = id;
    for (const g of this.#svg?.querySelectorAll(".chosen") ?? []) g.classList.remove("chosen");
    if (id) this.#svg?.getElementById(id)?.classList.add("chosen");
  }

  // focus gives the keys back to what they came from.
  focus(id) { this.#svg?.getElementById(id)?.focus(); }

  #pick(target) {
    const g = target?.closest?.("g.node, g.edge");
    this.#choose(g && isPart.test(g.id) ? g.id : "");
  }
}

function makeButton(g) {
  g.setAttribute("tabindex", "0");
  g.setAttribute("role", "button");
  const path = g.classList.contains("edge") && g.querySelector("path");
  if (!path) return;
  const reach = path.cloneNode(); // a line is thin to hit
  reach.setAttribute("class", "reach");
  g.append(reach);
}

function legend() {
  const colors = [["green", "fine"], ["yellow", "over 10 % full, or degraded"], ["orange", "over 40 %, or restarting"], ["red", "over 80 %, or failed"], ["grey", "idle or ended"]];
  return el("ul", { class: "legend" }, colors.map(([color, meaning]) => el("li", {}, el("i", { class: color }), meaning)));
}

function button(label, title, onclick) {
  return el("button", { type: "button", title, ariaLabel: title, onclick }, label);
}
