// The tables of all stages and of all channels.

import { Table } from "./table.js";
import * as f from "./format.js";

export const stageTable = (choose) => new Table("Stages", [
  { title: "Stage", read: (s) => s.name }, { title: "State", read: (s) => s.state + (s.waits ? ", waits for " + s.waits.join("; ") : "") + (s.health && s.health !== "healthy" ? ` (${s.health})` : ""), cut: true },
  { title: "In", read: (s) => s.in_rate, say: f.rate, number: true, hint: "messages taken a second" },
  { title: "Out", read: (s) => s.out_rate, say: f.rate, number: true, hint: "messages emitted a second" },
  { title: "Taken", read: (s) => s.in, say: f.exact, number: true, hint: "since the pipeline's fresh start" },
  { title: "Emitted", read: (s) => s.out, say: f.exact, number: true, hint: "since the pipeline's fresh start" },
  { title: "Load", read: (s) => s.busy, say: f.percent, number: true, bar: true, hint: "share of the time in its functions" },
  { title: "Waiting", read: (s) => s.lag, say: f.number, number: true },
  { title: "Call p99", read: (s) => s.call.p99, say: f.seconds, number: true },
  { title: "End to end p99", read: (s) => s.latency.p99, say: f.seconds, number: true },
  { title: "Restarts", read: (s) => s.restarts, say: f.exact, number: true },
  { title: "Faults", read: (s) => s.faults, say: f.exact, number: true },
  { title: "Dead letters", read: (s) => s.dead_letters, say: f.exact, number: true },
], (s) => s.name, (name) => choose("stage-" + name), "No stages yet.");

export const channelTable = (choose) => new Table("Channels", [
  { title: "Stream", read: (c) => c.stream }, { title: "Reader", read: (c) => c.reader || "none" },
  { title: "Rate", read: (c) => c.rate, say: f.rate, number: true, hint: "messages taken a second" }, { title: "Waiting", read: (c) => c.lag, say: f.exact, number: true },
  { title: "Fill", read: (c) => c.fill, say: f.percent, number: true, bar: true },
  { title: "Oldest", read: (c) => c.oldest, say: f.seconds, number: true, hint: "age of the next message" },
  { title: "End to end p99", read: (c) => c.latency?.p99, say: f.seconds, number: true, hint: "from a message's time until the reader has committed it" },
  { title: "Written", read: (c) => c.written, say: f.exact, number: true }, { title: "Taken", read: (c) => c.taken, say: f.exact, number: true },
  { title: "Stored", read: (c) => c.bytes, say: f.bytes, number: true },
], (c) => `${c.stream}>${c.reader}`, (key) => choose("channel-" + key), "No channels yet.");
