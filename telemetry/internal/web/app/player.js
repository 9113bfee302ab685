// A recording that is played in the place of what is live.

import { $, text } from "./dom.js";
import * as f from "./format.js";

export class Player {
  #recording = null;
  #timer = 0;
  #show;
  #leave;

  // show gets what is to be seen: {graph, samples, events}. leave is called at the end.
  constructor(show, leave) {
    this.#show = show;
    this.#leave = leave;
    $("position").addEventListener("input", () => this.#seek(Number($("position").value)));
    $("play").addEventListener("click", () => (this.#timer ? this.#stop() : this.#start()));
    $("leave-recording").addEventListener("click", () => this.#end());
  }

  open(recording) {
    this.#stop();
    this.#recording = recording;
    $("player").hidden = false;
    $("position").max = String(recording.samples.length - 1);
    this.#seek(0);
  }

  #seek(k) {
    const { graph, samples, events } = this.#recording;
    const time = new Date(samples[k].time);
    $("position").value = String(k);
    text($("played"), f.moment(time));
    this.#show({ graph, samples: samples.slice(0, k + 1), events: events.filter((e) => new Date(e.time) <= time) });
  }

  #start() {
    if (Number($("position").value) >= this.#recording.samples.length - 1) this.#seek(0);
    text($("play"), "Stop");
    this.#timer = setInterval(() => {
      const next = Number($("position").value) + 1;
      if (next >= this.#recording.samples.length) return this.#stop();
      this.#seek(next);
    }, 1000);
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    text($("play"), "Play");
  }

  #end() {
    this.#stop();
    this.#recording = null;
    $("player").hidden = true;
    this.#leave();
  }
}
