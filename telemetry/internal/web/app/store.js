// What the page knows: the graph, the samples of the last hour, the events.

const keepSamples = 900; // of those that come live; older ones are asked for

export class Store {
  graph = { pipeline: "", groups: [], stages: [], channels: [] };
  samples = [];
  events = [];
  recorded = false; // it is of a recording

  get now() { return this.samples.at(-1); }

  begin(graph, samples, events) {
    this.graph = graph;
    this.samples = samples;
    this.events = events;
  }

  addSample(sample) {
    const last = this.now;
    if (last?.time === sample.time) return;
    this.samples.push(sample);
    if (this.samples.length > keepSamples) this.samples.splice(0, this.samples.length - keepSamples);
  }

  addEvent(event) {
    this.events.push(event);
    if (this.events.length > 1000) this.events.splice(0, this.events.length - 1000);
  }

  stage(name, sample = this.now) { return sample?.stages.find((s) => s.name === name); }
  channel(stream, reader, sample = this.now) { return sample?.channels.find((c) => c.stream === stream && c.reader === reader); }

  // recording is what can be saved and played again: a line a thing.
  recording() {
    const lines = [{ format: "penstock-telemetry", version: 1, graph: this.graph }];
    const both = [...this.samples.map((sample) => ({ sample })), ...this.events.map((event) => ({ event }))];
    both.sort((a, b) => new Date(timeOf(a)) - new Date(timeOf(b)));
    return [...lines, ...both].map((line) => JSON.stringify(line)).join("\n") + "\n";
  }
}

const timeOf = (line) => (line.sample ?? line.event).time;
export const normal = (g) => ({ ...g, groups: g.groups ?? [], stages: g.stages ?? [], channels: g.channels ?? [] });

const largest = 256 << 20;

// readRecording takes the text of a recording apart, and refuses what is none.
export function readRecording(text) {
  if (text.length > largest) throw new Error("the file is larger than 256 MiB");
  const lines = text.split("\n").filter((line) => line.trim());
  let head;
  try {
    head = JSON.parse(lines[0] ?? "");
  } catch {
    throw new Error("this is no recording: its first line is not JSON");
  }
  if (head.format !== "penstock-telemetry") throw new Error("this is no recording of Penstock's telemetry");
  if (head.version > 1) throw new Error(`the recording is written by a newer version of Penstock (format ${head.version}, this page reads up to 1): use that version`);
  const samples = [], events = [];
  lines.slice(1).forEach((line, k) => {
    let part;
    try {
      part = JSON.parse(line);
    } catch {
      throw new Error(`line ${k + 2} of the recording is damaged`);
    }
    if (part.sample?.stages && part.sample.channels) samples.push(part.sample);
    else if (part.event) events.push(part.event);
    else throw new Error(`line ${k + 2} of the recording is neither a sample nor an event`);
  });
  if (samples.length === 0) throw new Error("the recording has no samples");
  return { graph: normal(head.graph ?? {}), samples, events };
}
