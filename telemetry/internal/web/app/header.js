// The head of the page: what it is about, how that is, and what there is to say.

import { $, text } from "./dom.js";
import { Facts } from "./facts.js";
import * as f from "./format.js";

const facts = new Facts($("facts"));

// tell says something to who looks: what went wrong, or, as "done", what went
// right. "" takes it back.
export function tell(message, kind = "wrong") {
  const notice = $("notice");
  notice.hidden = !message;
  notice.className = "notice is-" + kind;
  text(notice, message);
}

export function showHeader(store) {
  const s = store.now, name = store.graph.pipeline || "Penstock";
  text($("pipeline"), name);
  const title = name === "Penstock" ? name : name + " – Penstock";
  if (document.title !== title) document.title = title;
  if (!s) return;
  const sum = (read) => s.stages.reduce((n, stage) => n + read(stage), 0);
  count($("faults"), sum((stage) => stage.faults), "faults");
  count($("letters-count"), sum((stage) => stage.dead_letters), "since the fresh start");
  facts.show([
    s.broker && ["NATS", s.broker.connected ? "connected" : "away", s.broker.server, !s.broker.connected],
    s.disk && ["disk free", f.bytes(s.disk.free), `${s.disk.state}; ${f.bytes(s.disk.used)} are used`, s.disk.state !== "enough"],
    s.checkpoint && ["checkpoint", f.seconds(s.checkpoint.age) + " ago", "what a restart would replay", s.checkpoint.age > 60],
    ["memory", f.bytes(s.process.resident || s.process.heap)], ["processors", s.process.cpu.toFixed(1), "processor time of the process"],
    ["goroutines", f.number(s.process.goroutines)],
  ].filter(Boolean));
}

function count(badge, n, what) {
  badge.hidden = !n;
  badge.title = `${f.exact(n)} ${what}`;
  text(badge, f.number(n));
}

// showState says how the page stands to what it shows: kind is "held" for what
// does not move, "lost", or the state of the pipeline.
export function showState(said, kind, hint = "") {
  const pill = $("state");
  text(pill, said);
  pill.className = "pill is-" + kind;
  pill.title = hint;
}
