// What happened, the newest first.

import { el } from "./dom.js";
import * as f from "./format.js";

const mostShown = 200;

// EventList adds what is new, so that a stack that is read stays open.
export class EventList {
  element = el("div", { class: "events list" });
  #lines = new Map();
  #matches;

  constructor(matches = () => true) { this.#matches = matches; }

  show(events) {
    const shown = events.filter(this.#matches).slice(-mostShown).reverse();
    const left = new Set(this.#lines.keys());
    const elements = shown.map((e) => {
      const key = [e.number, e.time, e.stage, e.kind].join(" ");
      left.delete(key);
      if (!this.#lines.has(key)) this.#lines.set(key, lineOf(e));
      return this.#lines.get(key);
    });
    for (const key of left) this.#lines.delete(key);
    if (elements.length === 0) return this.element.replaceChildren(el("p", { class: "empty" }, "Nothing happened so far."));
    elements.forEach((line, place) => {
      if (this.element.children[place] !== line) this.element.insertBefore(line, this.element.children[place] ?? null);
    });
    while (this.element.children.length > elements.length) this.element.lastChild.remove();
  }
}

function lineOf(e) {
  const line = [
    el("time", { dateTime: e.time, title: f.moment(e.time) }, f.clock(e.time)),
    el("b", { class: "event-" + (e.color ?? colorOf(e.kind)) }, e.kind),
    el("span", { class: "who" }, e.stage ?? ""),
    el("span", { class: "what" }, [e.reason && e.reason !== e.kind && el("span", { class: "muted" }, e.reason + (e.error || e.detail ? " · " : "")), e.error || e.detail || ""]),
  ];
  if (!e.stack) return el("div", { class: "event" }, line);
  return el("details", { class: "event" }, el("summary", { title: "Its stack" }, line), el("pre", { tabIndex: 0 }, e.stack));
}

function colorOf(kind) {
  if (["fault", "given up", "escalated", "abandoned"].includes(kind)) return "red";
  return ["backing off", "dead letter"].includes(kind) ? "orange" : "green";
}

// EventsView is all of it, to be filtered.
export class EventsView {
  #filter = el("input", { type: "search", placeholder: "Filter by stage, kind or text", ariaLabel: "Filter the events" });
  #list = new EventList((e) => this.#isAsked(e));
  #events = [];

  constructor() {
    this.#filter.addEventListener("input", () => this.show(this.#events));
    this.element = el("section", { class: "page" }, el("div", { class: "toolbar" }, this.#filter), this.#list.element);
  }

  show(events) {
    this.#events = events;
    this.#list.show(events);
  }

  #isAsked(e) {
    const said = [e.stage, e.kind, e.reason, e.error, e.detail].join(" ").toLowerCase();
    return this.#filter.value.toLowerCase().split(/\s+/).every((word) => said.includes(word));
  }
}
