// The panel about one stage or channel: numbers, charts, what happened to it, its
// state, and what can be done.

import { el, text, confirm } from "./dom.js";
import { get, getExact, post } from "./api.js";
import { Chart } from "./charts.js";
import { EventList } from "./events.js";
import { Facts, stageFacts, channelFacts } from "./facts.js";
import * as f from "./format.js";

export class Panel {
  peeks = false; // messages may be shown
  #box;
  #store;
  #tell;
  #of = null; // {kind: "stage", name} or {kind: "channel", stream, reader}
  #charts = [];
  #facts = null;
  #pill = null;
  #buttons = null;
  #events = null;
  #state = null;

  constructor(box, store, tell) {
    this.#box = box;
    this.#store = store;
    this.#tell = tell;
  }

  get id() {
    if (!this.#of) return "";
    return this.#of.kind === "stage" ? "stage-" + this.#of.name : `channel-${this.#of.stream}>${this.#of.reader}`;
  }

  // open shows what an id of the graph means.
  open(id) {
    if (id === this.id) return;
    this.close();
    if (id.startsWith("stage-")) this.#openStage(id.slice(6));
    else if (id.startsWith("channel-")) {
      const [stream, reader] = id.slice(8).split(">");
      if (reader) this.#openChannel(stream, reader);
    }
    if (!this.#box.hidden) this.#box.focus();
  }

  close() {
    if (!this.#of) return;
    const id = this.id;
    for (const chart of this.#charts) chart.close();
    this.#charts = [];
    this.#of = this.#events = this.#state = this.#buttons = null;
    this.#box.hidden = true;
    this.#box.replaceChildren();
    this.onclose?.(id);
  }

  #frame(title, kind, ...children) {
    this.#facts = new Facts();
    this.#pill = el("span", { class: "pill" });
    this.#box.replaceChildren(
      el("header", {}, el("div", {}, el("h2", {}, title), el("p", { class: "kind" }, kind)), this.#pill,
        el("button", { type: "button", class: "close", ariaLabel: "Close", title: "Close (Esc)", onclick: () => this.close() }, "×")),
      ...children.slice(0, 1).filter(Boolean), this.#facts.element, ...children.slice(1).filter(Boolean));
    this.#box.hidden = false;
    this.#box.scrollTop = 0;
    this.update();
  }

  #openStage(name) {
    const stage = this.#store.graph.stages.find((s) => s.name === name);
    if (!stage) return;
    this.#of = { kind: "stage", name };
    this.#charts = [
      new Chart("Messages a second", f.number, [{ label: "in", read: (s) => s.in_rate }, { label: "out", read: (s) => s.out_rate }]),
      new Chart("Load", f.percent, [{ label: "busy", read: (s) => s.busy }], 0.1),
      new Chart("A call", f.seconds, [{ label: "p50", read: (s) => s.call.p50 }, { label: "p99", read: (s) => s.call.p99 }]),
      new Chart("From end to end", f.seconds, [{ label: "p50", read: (s) => s.latency.p50 }, { label: "p99", read: (s) => s.latency.p99 }]),
      new Chart("A commit", f.seconds, [{ label: "p50", read: (s) => s.commit.p50 }, { label: "p99", read: (s) => s.commit.p99 }]),
    ];
    const live = !this.#store.recorded;
    this.#events = new EventList((e) => (e.stage ?? name) === name);
    this.#events.element.prepend(el("p", { class: "empty" }, "…"));
    this.#state = el("pre", { class: "state", tabIndex: 0 }, "…");
    if (live) this.#buttons = this.#actions(name);
    this.#frame(name, stage.kind + (stage.keyed ? ", by key" : "") + (stage.group ? ", in " + stage.group : ""),
      this.#buttons?.element, ...this.#charts.map((c) => c.element),
      el("h3", {}, "What happened"), this.#events.element, live && el("h3", {}, "Committed state"), live && this.#state);
    this.refresh();
  }

  #actions(name) {
    const act = (verb, action, effect) => el("button", { type: "button", onclick: async (e) => {
      if (effect && !(await confirm(`${verb} ${name}?`, effect, verb))) return;
      e.target.disabled = true;
      try {
        await post(`/api/v1/stages/${encodeURIComponent(name)}/${action}`);
        this.#tell("");
      } catch (error) {
        this.#tell(error.message);
      } finally {
        e.target.disabled = false;
      }
    } }, verb + (effect ? "…" : ""));
    const buttons = {
      restart: act("Restart", "restart", "It begins anew from what it committed. Nothing is lost."),
      pause: act("Pause", "pause", "Its messages wait for it until it is resumed. Nothing is lost."), resume: act("Resume", "resume"),
    };
    return { ...buttons, element: el("div", { class: "buttons" }, Object.values(buttons)) };
  }

  #openChannel(stream, reader) {
    const channel = this.#store.graph.channels.find((c) => c.stream === stream && c.reader === reader);
    if (!channel) return;
    this.#of = { kind: "channel", stream, reader };
    this.#charts = [
      new Chart("Messages taken a second", f.number, [{ label: "rate", read: (c) => c.rate }]),
      new Chart("Messages that wait", f.number, [{ label: "lag", read: (c) => c.lag }]),
      new Chart("Fill", f.percent, [{ label: "fill", read: (c) => c.fill }], 0.1),
      new Chart("From end to end", f.seconds, [{ label: "p50", read: (c) => c.latency?.p50 }, { label: "p99", read: (c) => c.latency?.p99 }]),
      new Chart("Age of the oldest that waits", f.seconds, [{ label: "age", read: (c) => c.oldest }]),
    ];
    const kind = `channel of ${channel.type}, up to ${f.number(channel.capacity_messages)} messages or ${f.bytes(channel.capacity_bytes)}`;
    this.#frame(`${stream} → ${reader}`, kind, null, ...this.#charts.map((c) => c.element),
      this.peeks && !this.#store.recorded && this.#messages(stream));
  }

  // messages shows the newest of a stream, when it is asked to.
  #messages(stream) {
    const list = el("div", { class: "messages" });
    const look = async () => {
      try {
        const messages = await getExact("/api/v1/messages/" + stream.split("/").map(encodeURIComponent).join("/"));
        list.replaceChildren(...(messages.length ? messages.reverse().map(messageOf) : [el("p", { class: "empty" }, "None is stored.")]));
      } catch (error) {
        list.replaceChildren(el("p", { class: "empty" }, error.message));
      }
    };
    return el("section", {}, el("h3", {}, "Newest messages"), el("div", { class: "buttons" }, el("button", { type: "button", onclick: look }, "Look")), list);
  }

  // update brings numbers and charts up to date.
  update() {
    const of = this.#of;
    if (!of) return;
    const read = of.kind === "stage" ? (s) => this.#store.stage(of.name, s) : (s) => this.#store.channel(of.stream, of.reader, s);
    const now = this.#store.now && read(this.#store.now);
    if (now) {
      this.#facts.show(of.kind === "stage" ? stageFacts(now) : channelFacts(now));
      this.#pill.className = "pill is-" + now.color;
      text(this.#pill, of.kind === "channel" ? f.percent(now.fill) + " full" : now.waits ? "waits" : now.health && now.health !== "healthy" ? now.health : now.state);
      if (this.#buttons) {
        const stopped = now.state === "stopped";
        this.#buttons.pause.hidden = stopped;
        this.#buttons.resume.hidden = !stopped;
      }
    }
    const parts = this.#store.samples.map((s) => ({ time: s.time, part: read(s) }));
    for (const chart of this.#charts) chart.show(parts);
  }

  // refresh asks again for what does not come by itself.
  async refresh() {
    if (this.#of?.kind !== "stage") return;
    if (this.#store.recorded) return this.#events.show(this.#store.events);
    const path = "/api/v1/stages/" + encodeURIComponent(this.#of.name), events = this.#events, state = this.#state;
    try {
      events.show(await get(path + "/events"));
    } catch (error) {
      events.element.replaceChildren(el("p", { class: "empty" }, error.message));
    }
    try {
      const answer = await getExact(path + "/state");
      text(state, JSON.stringify(answer.keys ?? answer.state, null, 2) + (answer.more ? "\n… and further keys" : ""));
    } catch (error) {
      text(state, error.message);
    }
  }
}

const messageOf = (m) => el("div", { class: "message" },
  el("p", {}, el("b", {}, "#" + m.offset), " ", el("time", { dateTime: m.time, title: f.moment(m.time) }, f.clock(m.time)), m.key && el("span", { class: "who" }, " " + m.key)),
  el("pre", { tabIndex: 0 }, m.value === undefined ? f.bytes(m.bytes) : JSON.stringify(m.value, null, 2)));
