// A table that is brought up to date in place, sorted by any column.

import { el, text } from "./dom.js";

export class Table {
  #columns;
  #rows = new Map();
  #body = el("tbody");
  #by = null;
  #down = true;
  #choose;
  #empty;

  // columns: [{title, read(row), say(value, row), hint}], and number for what stands
  // right, bar for a share that is drawn, cut for a text that may be long; key(row)
  // names a row; empty is said when there are none.
  constructor(caption, columns, key, choose, empty) {
    this.#columns = columns;
    this.key = key;
    this.#choose = choose;
    this.#empty = el("p", { class: "empty" }, empty);
    this.head = el("tr", {}, columns.map((c, k) => el("th", { scope: "col", class: c.number && "number", title: c.hint },
      el("button", { type: "button", onclick: () => this.#sort(k) }, c.title))));
    this.element = el("div", { class: "scroll", tabIndex: 0, role: "region", ariaLabel: caption },
      el("table", {}, el("caption", {}, caption), el("thead", {}, this.head), this.#body), this.#empty);
  }

  #sort(k) {
    this.#down = this.#by === k ? !this.#down : true;
    this.#by = k;
    [...this.head.children].forEach((th, n) => (n === k ? th.setAttribute("aria-sort", this.#down ? "descending" : "ascending") : th.removeAttribute("aria-sort")));
    this.show(this.rows);
  }

  show(rows) {
    this.rows = rows;
    this.#empty.hidden = rows.length > 0;
    const sorted = [...rows];
    if (this.#by !== null) {
      const read = this.#columns[this.#by].read, sign = this.#down ? -1 : 1;
      sorted.sort((a, b) => sign * compare(read(a), read(b)));
    }
    const left = new Set(this.#rows.keys());
    sorted.forEach((row, place) => {
      const key = this.key(row);
      left.delete(key);
      let tr = this.#rows.get(key);
      if (!tr) {
        tr = el("tr", { data: { key } }, this.#columns.map((c) => el("td", { class: [c.number && "number", c.bar && "share", c.cut && "cut"].filter(Boolean).join(" ") })));
        if (this.#choose) this.#makeChoice(tr, key);
        this.#rows.set(key, tr);
      }
      this.#columns.forEach((c, k) => {
        const cell = tr.children[k], value = c.read(row);
        const said = c.say ? c.say(value, row) : String(value ?? "–");
        text(cell, said);
        if (cell.title !== said && c.cut) cell.title = said;
        if (c.bar) cell.style.setProperty("--share", `${Math.min(value ?? 0, 1) * 100}%`);
      });
      tr.className = row.color ? "is-" + row.color : "";
      if (this.#body.children[place] !== tr) this.#body.insertBefore(tr, this.#body.children[place] ?? null);
    });
    for (const key of left) {
      this.#rows.get(key).remove();
      this.#rows.delete(key);
    }
  }

  #makeChoice(tr, key) {
    tr.tabIndex = 0;
    tr.addEventListener("click", () => this.#choose(key));
    tr.addEventListener("keydown", (e) => {
      if (e.key === "Enter") this.#choose(key);
    });
  }
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a ?? "").localeCompare(String(b ?? ""));
}
