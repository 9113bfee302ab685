// The page is made of elements and text, never of markup: whatever a name, an
// error or a message holds stays text.

export function el(name, properties = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") e.className = value;
    else if (key === "data") Object.assign(e.dataset, value);
    else if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (key in e && key !== "list") e[key] = value;
    else e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== false));
  return e;
}

export const $ = (id) => document.getElementById(id);

// text writes into an element, unless it says the same already: what is read or
// copied from must not jump.
export function text(e, value) {
  if (e.textContent !== value) e.textContent = value;
}

export function download(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const a = el("a", { href: url, download: name });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// confirm asks, and is true when the answer is yes.
export function confirm(title, message, verb) {
  const dialog = $("confirm");
  return new Promise((resolve) => {
    const answer = (yes) => () => { dialog.close(); resolve(yes); };
    dialog.replaceChildren(
      el("h2", {}, title), el("p", {}, message),
      el("div", { class: "buttons" },
        el("button", { type: "button", onclick: answer(false), autofocus: true }, "Cancel"),
        el("button", { type: "button", class: "danger", onclick: answer(true) }, verb)),
    );
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
  });
}
