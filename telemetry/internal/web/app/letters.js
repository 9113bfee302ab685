// The dead letters: filter, look, replay, discard.

import { el, text, confirm } from "./dom.js";
import { get, getExact, post } from "./api.js";
import { Table } from "./table.js";
import { Facts } from "./facts.js";
import * as f from "./format.js";

export class LettersView {
  #tell;
  #filter = el("input", { type: "search", placeholder: "Filter by stage, reason, key or error", ariaLabel: "Filter the dead letters" });
  #summary = el("p", { class: "muted summary", role: "status" });
  #shown = el("article", { class: "letter", hidden: true });
  #many;
  #all = [];
  #count = 0;
  #table;

  constructor(tell) {
    this.#tell = tell;
    this.#table = new Table("Dead letters", [
      { title: "When", read: (l) => l.at, say: f.clock }, { title: "Stage", read: (l) => l.stage }, { title: "Reason", read: (l) => l.reason },
      { title: "Attempts", read: attempts, number: true }, { title: "Key", read: (l) => plain(l.key) || "–", cut: true },
      { title: "Id", read: (l) => l.id, cut: true }, { title: "Error", read: (l) => plain(l.error), cut: true },
    ], (l) => l.id, (id) => this.#show(id), "No dead letters: no message has failed for good.");
    this.#many = [button("Replay these…", () => this.#sure("replay", this.#ids())), button("Discard these…", () => this.#sure("discard", this.#ids()), "danger")];
    this.#filter.addEventListener("input", () => this.#list());
    this.element = el("section", { class: "page letters" },
      el("div", { class: "toolbar" }, this.#filter, this.#many), this.#summary, this.#table.element, this.#shown);
  }

  // refresh asks for them again.
  async refresh() {
    try {
      const answer = await get("/api/v1/letters");
      this.#all = answer.letters.reverse();
      this.#count = answer.count;
      this.#list();
    } catch (error) {
      this.#tell(error.message);
    }
  }

  #matching() {
    const words = this.#filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    return this.#all.filter((l) => words.every((w) => [l.id, l.stage, l.reason, l.key, l.error].some((t) => plain(t).toLowerCase().includes(w))));
  }

  #ids() { return this.#matching().map((l) => l.id); }

  #list() {
    const matching = this.#matching();
    this.#table.show(matching);
    for (const b of this.#many) b.disabled = matching.length === 0;
    const all = this.#all.length < this.#count ? `the newest ${f.exact(this.#all.length)} of ${f.exact(this.#count)}` : f.exact(this.#count);
    text(this.#summary, this.#count ? `${f.exact(matching.length)} shown, of ${all}` : "");
  }

  async #show(id) {
    try {
      const l = await getExact("/api/v1/letters/" + encodeURIComponent(id));
      const facts = new Facts();
      facts.show([["stage", l.stage], ["reason", l.reason], ["attempts", attempts(l)], ["round", l.round], ["key", plain(l.key) || "–"], ["size", f.bytes(Number(l.valueBytes))], ["time", f.moment(l.at)]]);
      const part = (title, said) => said && [el("h3", {}, title), el("pre", { tabIndex: 0 }, said)];
      this.#shown.replaceChildren(...[
        el("header", {}, el("h2", {}, l.id), button("Replay", () => this.#do("replay", [id])), button("Discard…", () => this.#sure("discard", [id]), "danger"),
          el("button", { type: "button", class: "close", ariaLabel: "Close", onclick: () => this.#hide() }, "×")),
        facts.element, part("Error", plain(l.error)), part("Value", value(l)), part("Stack", plain(l.stack)),
      ].flat().filter(Boolean));
      this.#shown.hidden = false;
      this.#shown.scrollIntoView({ block: "nearest" });
    } catch (error) {
      this.#tell(error.message);
    }
  }

  #hide() {
    this.#shown.hidden = true;
    this.#shown.replaceChildren();
  }

  async #sure(action, ids) {
    if (ids.length === 0) return;
    const verb = action === "discard" ? "Discard" : "Replay", what = ids.length === 1 ? ids[0] : `${ids.length} dead letters`;
    const effect = action === "discard" ? "What is discarded is gone for good." : "Their stages get the messages once more.";
    if (await confirm(`${verb} ${what}?`, effect, verb)) await this.#do(action, ids);
  }

  async #do(action, ids) {
    try {
      await post("/api/v1/letters/" + action, { ids });
      this.#hide();
      this.#tell(`${ids.length === 1 ? ids[0] + " was" : ids.length + " were"} ${action === "discard" ? "discarded" : "sent to be handled again"}.`, "done");
    } catch (error) {
      this.#tell(error.message);
    }
    await this.refresh();
  }
}

const attempts = (l) => (l.attempts?.length ?? 0) + Number(l.attemptsOmitted ?? 0);

// plain is a free text: what a string of JSON cannot hold comes in base64.
const plain = (said) => typeof said === "object" && said ? "base64:" + said.base64 : said ?? "";

// value is what can be shown of a value: JSON, a number, text, or bytes.
function value(l) {
  if (l.valueOmitted) return `${f.bytes(Number(l.valueBytes))}: too large to be shown here`;
  if (l.json !== undefined) return typeof l.json === "string" ? l.json || "(empty)" : JSON.stringify(l.json, null, 2);
  if (l.decoded !== undefined) return JSON.stringify(l.decoded);
  if (l.text !== undefined) return l.text;
  return l.value ? Array.from(atob(l.value), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("") : "(empty)";
}

const button = (label, onclick, kind) => el("button", { type: "button", onclick, class: kind }, label);
