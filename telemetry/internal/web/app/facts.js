// The numbers of a stage or channel.

import { el, text } from "./dom.js";
import * as f from "./format.js";

// Facts are names with values that are brought up to date in place.
export class Facts {
  #values = new Map();

  constructor(element = el("dl", { class: "numbers" })) { this.element = element; }

  // show takes [name, value, hint, whether it is bad] of each.
  show(facts) {
    const names = facts.map(([name]) => name).join();
    if (names !== [...this.#values.keys()].join()) {
      this.#values = new Map(facts.map(([name, , hint]) => [name, el("dd", { title: hint })]));
      this.element.replaceChildren(...[...this.#values].map(([name, value]) => el("div", {}, el("dt", {}, name), value)));
    }
    for (const [name, value, , bad] of facts) {
      text(this.#values.get(name), String(value));
      this.#values.get(name).classList.toggle("bad", Boolean(bad));
    }
  }
}

export function stageFacts(s) {
  return [
    ["in", f.rate(s.in_rate)], ["out", f.rate(s.out_rate)],
    ["taken in all", f.exact(s.in), "since the pipeline's fresh start"], ["emitted in all", f.exact(s.out), "since the pipeline's fresh start"],
    ["load", f.percent(s.busy), "share of the time in its functions"], ["waiting", f.number(s.lag), "messages that are committed upstream and not taken"],
    ["a call, p99", f.seconds(s.call.p99)], ["end to end, p99", f.seconds(s.latency.p99), "from a message's time until it is committed here"],
    ["a commit, p99", f.seconds(s.commit.p99)], ["messages a commit", f.number(s.batch.mean)],
    ["restarts", f.exact(s.restarts)], ["faults", f.exact(s.faults), "panics, errors, failed health checks and deadlines"],
    ["failed attempts", f.exact(s.failed_attempts), "at messages, and at calls that are none"],
    ["dead letters", f.exact(s.dead_letters)], ["commits", f.exact(s.commits)],
    ["epoch", f.exact(s.epoch), "one more with each process that ran it"], ["up for", f.seconds(s.uptime)],
    ...(s.counts ?? []).map(({ of, n }) => [of.replaceAll("_", " "), f.exact(n)]),
    s.waiting && ["postponed", f.exact(s.waiting)], s.breaker && ["circuit breaker", s.breaker], s.state_bytes && ["size of its state", f.bytes(s.state_bytes)],
    s.waits && ["waits for", s.waits.join("; "), "for longer than it does for good reasons", true],
    s.triggers && ["out of bounds", s.triggers.join(", "), "by triggers of the program", true],
  ].filter(Boolean);
}

export function channelFacts(c) {
  return [
    ["rate", f.rate(c.rate)], ["waiting", f.exact(c.lag)], ["fill", f.percent(c.fill)], ["oldest", f.seconds(c.oldest)],
    ["end to end, p99", f.seconds(c.latency?.p99), "from a message's time until the reader has committed it"],
    ["written", f.exact(c.written)], ["taken", f.exact(c.taken)], ["stored", f.bytes(c.bytes)],
    c.waiting && ["overtaken", f.exact(c.waiting)], c.held && ["held", "its next message"],
    c.triggers && ["out of bounds", c.triggers.join(", "), "by triggers of the program", true],
  ].filter(Boolean);
}
