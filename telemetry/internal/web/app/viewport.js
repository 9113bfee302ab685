// What of a drawing is seen: moved and zoomed by pointer, wheel and keys.

const nearest = 4, comfortable = 1.6;

export class Viewport {
  #box;
  #svg = null;
  #whole = { x: 0, y: 0, width: 1, height: 1 }; // of the drawing
  #scale = 1; // pixels a unit of the drawing
  #center = { x: 0, y: 0 };
  #fitted = true; // the user has not moved it
  #changed;

  // changed is told the scale. pick is told what was clicked.
  constructor(box, changed, pick) {
    this.#box = box;
    this.#changed = changed;
    new ResizeObserver(() => this.#refresh()).observe(box);
    this.#listen(pick);
  }

  // show takes another drawing. What was looked at stays in the middle.
  show(svg) {
    const [x, y, width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const was = this.#whole;
    this.#whole = { x, y, width, height };
    this.#center.x = x + (this.#center.x - was.x) * (width / was.width);
    this.#center.y = y + (this.#center.y - was.y) * (height / was.height);
    this.#svg = svg;
    this.#refresh();
  }

  get scale() { return this.#scale; }

  #refresh() {
    if (this.#fitted) this.fit();
    else this.#apply();
  }

  #fitScale() {
    const { clientWidth: width, clientHeight: height } = this.#box;
    return Math.min((width - 24) / this.#whole.width, (height - 24) / this.#whole.height, comfortable);
  }

  fit() {
    this.#fitted = true;
    if (!this.#box.clientWidth) return; // it is not on the page
    this.#scale = Math.max(this.#fitScale(), 0.01);
    this.#center = { x: this.#whole.x + this.#whole.width / 2, y: this.#whole.y + this.#whole.height / 2 };
    this.#apply();
  }

  // zoom keeps the place where it is on the screen.
  zoom(factor, at) {
    if (this.#fitted) this.fit(); // the box may have another size than it was told
    at ??= this.#center;
    const scale = Math.min(Math.max(this.#scale * factor, this.#fitScale() / 2), nearest);
    const by = this.#scale / scale;
    this.#center = { x: at.x - (at.x - this.#center.x) * by, y: at.y - (at.y - this.#center.y) * by };
    this.#scale = scale;
    this.#move();
  }

  pan(dx, dy) {
    if (this.#fitted) this.fit();
    this.#center.x += dx / this.#scale;
    this.#center.y += dy / this.#scale;
    this.#move();
  }

  // reveal moves so far that an element is seen.
  reveal(element) {
    const e = element.getBoundingClientRect(), box = this.#box.getBoundingClientRect();
    const inside = e.left >= box.left && e.right <= box.right && e.top >= box.top && e.bottom <= box.bottom;
    if (!inside) this.pan(e.left + e.width / 2 - (box.left + box.width / 2), e.top + e.height / 2 - (box.top + box.height / 2));
  }

  #move() {
    const { x, y, width, height } = this.#whole;
    this.#fitted = false;
    this.#center.x = Math.min(Math.max(this.#center.x, x), x + width);
    this.#center.y = Math.min(Math.max(this.#center.y, y), y + height);
    this.#apply();
  }

  #apply() {
    const { clientWidth, clientHeight } = this.#box;
    if (!this.#svg || !clientWidth) return;
    const width = clientWidth / this.#scale, height = clientHeight / this.#scale;
    this.#svg.setAttribute("viewBox", `${this.#center.x - width / 2} ${this.#center.y - height / 2} ${width} ${height}`);
    this.#changed(this.#scale);
  }

  #placeOf(event) {
    const matrix = this.#svg?.getScreenCTM()?.inverse();
    return matrix ? new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix) : undefined;
  }

  #listen(pick) {
    const box = this.#box, pointers = new Map();
    let moved = false, gap = 0;
    box.addEventListener("wheel", (e) => {
      e.preventDefault();
      this.zoom(Math.exp(-Math.sign(e.deltaY) * 0.15), this.#placeOf(e));
    }, { passive: false });
    box.addEventListener("pointerdown", (e) => {
      pointers.set(e.pointerId, e);
      if (pointers.size === 1) moved = false;
      gap = distance(pointers);
    });
    box.addEventListener("pointermove", (e) => {
      const before = pointers.get(e.pointerId);
      if (!before) return;
      if (pointers.size === 1 && !moved && Math.hypot(e.clientX - before.clientX, e.clientY - before.clientY) < 4) return;
      pointers.set(e.pointerId, e);
      if (!moved) box.setPointerCapture(e.pointerId);
      moved = true;
      if (pointers.size === 1) return this.pan(before.clientX - e.clientX, before.clientY - e.clientY);
      const now = distance(pointers);
      if (gap > 0 && now > 0) this.zoom(now / gap, this.#placeOf(e));
      gap = now;
    });
    for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, (e) => pointers.delete(e.pointerId));
    box.addEventListener("click", (e) => { if (!moved) pick(e.target); });
    box.addEventListener("keydown", (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const step = 60;
      const keys = {
        "+": () => this.zoom(1.4), "=": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4), "0": () => this.fit(),
        ArrowLeft: () => this.pan(-step, 0), ArrowRight: () => this.pan(step, 0), ArrowUp: () => this.pan(0, -step), ArrowDown: () => this.pan(0, step),
      };
      const act = keys[e.key] ?? ((e.key === "Enter" || e.key === " ") && e.target !== box ? () => pick(e.target) : null);
      if (!act) return;
      e.preventDefault();
      e.stopPropagation();
      act();
    });
    box.addEventListener("focusin", (e) => { if (e.target !== box && e.target.matches(":focus-visible")) this.reveal(e.target); });
  }
}

function distance(pointers) {
  if (pointers.size !== 2) return 0;
  const [a, b] = [...pointers.values()];
  return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
}
