// How much of the graph is written, by how large it is seen: all of it; the names
// and rates, larger; or, from afar, the groups alone.

const readable = 8; // pixels that the smallest text needs
const small = 9; // the size of that text in graph.dot

export class Detail {
  #svg;
  #nodes;
  #edges;
  #groups;
  #level = "";

  constructor(svg) {
    this.#svg = svg;
    this.#nodes = [...svg.querySelectorAll("g.node")].map((g) => roomOf(g, g.querySelector("path")));
    this.#edges = [...svg.querySelectorAll("g.edge")].map((g) => roomOf(g));
    this.#groups = [...svg.querySelectorAll("g.cluster")].map((g) => roomOf(g, g.querySelector("path, polygon")));
  }

  // brief is what is said of a channel where only its rate has room.
  brief(line) { return this.#level === "middle" ? line.split(" · ")[0] : line; }

  // show returns whether the level is another one now.
  show(scale) {
    const longest = Math.max(...this.#nodes.map((n) => n.lines[0]?.textContent.length ?? 0));
    const widest = Math.max(...this.#nodes.map((n) => n.room?.width ?? 0));
    const name = Math.min(13 / scale, widest / (0.6 * (longest + 1))); // as large as all names fit
    const level = small * scale >= readable ? "near" : name * scale >= readable ? "middle" : "far";
    const another = level !== this.#level;
    if (another) this.#svg.setAttribute("data-level", this.#level = level);
    for (const n of this.#nodes) set(n, 0, level === "middle" ? name : 0, n.room);
    for (const e of this.#edges) set(e, 1, level === "middle" ? Math.min(11 / scale, 16) : 0);
    for (const g of this.#groups) {
      const most = g.room.width / (0.6 * ((g.lines[0]?.textContent.length ?? 0) + 1));
      if (level === "far") set(g, 0, Math.min(14 / scale, g.room.height * 0.6, most), g.room);
      else set(g, 0, level === "middle" ? Math.min(11 / scale, most) : 0);
      g.lines[0]?.setAttribute("x", g.room.x + (level === "far" ? g.room.width / 2 : 10));
      g.lines[0]?.setAttribute("text-anchor", level === "far" ? "middle" : "start");
    }
    return another;
  }
}

// roomOf remembers where the lines of a part are, and how much room there is.
function roomOf(g, shape) {
  const lines = [...g.querySelectorAll("text")];
  return { lines, places: lines.map((t) => t.getAttribute("y")), room: shape && boxOf(shape) };
}

// boxOf is where a shape is, by the numbers of its outline: it need not be on the page.
function boxOf(shape) {
  const numbers = (shape.getAttribute("d") ?? shape.getAttribute("points")).match(/-?[\d.]+/g).map(Number);
  const xs = numbers.filter((_, k) => k % 2 === 0), ys = numbers.filter((_, k) => k % 2 === 1);
  const x = Math.min(...xs), y = Math.min(...ys);
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

// set gives a line another size, in the middle of its room; 0 is its own.
function set(part, k, size, room) {
  const line = part.lines[k];
  if (!line) return;
  if (!size) {
    line.style.removeProperty("font-size");
    line.setAttribute("y", part.places[k]);
    return;
  }
  line.style.fontSize = size + "px";
  line.setAttribute("y", room ? room.y + room.height / 2 + size * 0.35 : part.places[k]);
}
