// The page: what is shown, how often, and what the keys do.

import { $, el, text, confirm, download } from "./dom.js";
import { get, getText, post, postForText, live as follow, useToken, Refused } from "./api.js";
import { Store, normal, readRecording } from "./store.js";
import { GraphView } from "./graph.js";
import { Panel } from "./panel.js";
import { Player } from "./player.js";
import { EventsView } from "./events.js";
import { LettersView } from "./letters.js";
import { stageTable, channelTable } from "./tables.js";
import { showHeader, showState, tell } from "./header.js";
import { startTheme } from "./theme.js";
import * as f from "./format.js";

const live = new Store(); // what comes from the server
const store = new Store(); // what is shown: that, or what was when the page was paused, or a recording
let paused = null; // when
let lost = ""; // why there is no connection
let drawnAt = 0;

const panel = new Panel($("panel"), store, tell);
const graph = new GraphView(choose);
const stages = stageTable((id) => choose(id)), channels = channelTable((id) => choose(id));
const events = new EventsView(), letters = new LettersView(tell);
const page = (element) => el("section", { class: "page" }, element);
const views = {
  graph: { element: graph.element, update: drawGraph },
  stages: { element: page(stages.element), update: () => stages.show(store.now?.stages ?? []) },
  channels: { element: page(channels.element), update: () => channels.show(store.now?.channels ?? []) },
  events: { element: events.element, update: () => events.show(store.events) },
  letters: { element: letters.element, update: refreshLetters },
};

function viewName() {
  const name = location.hash.slice(1);
  return Object.hasOwn(views, name) ? name : "graph";
}

function showView() {
  const name = viewName();
  for (const a of document.querySelectorAll(".tabs a")) {
    if (a.dataset.view === name) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  $("view").replaceChildren(views[name].element);
  $("view").dataset.view = name;
  lettersAt = -Infinity;
  draw();
}

function choose(id) {
  if (id) panel.open(id);
  else panel.close();
  graph.mark(panel.id);
}
panel.onclose = (id) => { graph.mark(""); graph.focus(id); };

// draw shows what the store holds now.
function draw() {
  drawnAt = performance.now();
  showHeader(store);
  views[viewName()].update();
  panel.update();
}

function sayState() {
  if (store.recorded) return showState("recording", "held");
  if (paused) return showState("paused at " + f.clock(paused), "held", f.moment(paused));
  if (lost) return showState("no connection", "lost", lost);
  const state = store.now?.state ?? "connected";
  showState(state, state);
}

// still is the sample at which the page stands, or null while it shows what comes.
const still = () => (paused || store.recorded ? store.now : null);

// drawGraph draws one graph at a time. A graph that comes after the page went to another moment is not shown: that moment's is
// asked for in its place. Busy is what a reader of the page can see until then.
let drawing = false;
async function drawGraph() {
  if (drawing || !store.now) return;
  drawing = true;
  graph.element.ariaBusy = "true";
  let of;
  do {
    of = still();
    try {
      const dot = await (of ? postForText("/api/v1/graph.dot", { graph: store.graph, sample: of }) : getText("/graph.dot"));
      if (of === still()) await graph.draw(dot);
      graph.mark(panel.id);
    } catch (error) {
      if (of === still() && !(error instanceof Refused) && !lost) tell("The graph cannot be drawn: " + error.message);
    }
  } while (of !== still());
  drawing = false;
  graph.element.ariaBusy = "false";
}

// refreshLetters asks for the dead letters: a replay takes them away later.
let lettersAt = -Infinity;
function refreshLetters() {
  if (!store.now || !isShown() || lost || performance.now() - lettersAt < 900) return;
  lettersAt = performance.now();
  letters.refresh();
}

// What is live is shown as it comes, but for what the page was told.
const isShown = () => !paused && !store.recorded;

function showLive() {
  store.begin(live.graph, live.samples, live.events);
  sayState();
  draw();
  panel.refresh();
}

let refreshedAt = 0;
function take(kind, value) {
  if (kind === "sample" && value.stages) live.addSample(value);
  else if (kind === "event") live.addEvent(value);
  if (!isShown()) return;
  store.begin(live.graph, live.samples, live.events);
  sayState();
  const now = performance.now();
  if (kind === "event" && viewName() === "events") views.events.update();
  if (kind === "event" || now - refreshedAt > 2000) {
    refreshedAt = now;
    panel.refresh();
  }
  if (now - drawnAt >= Number($("refresh").value) * 1000 - 100) draw();
}

async function begin() {
  const [g, samples, happened] = await Promise.all([get("/api/v1/graph"), get("/api/v1/history?seconds=900"), get("/api/v1/events")]);
  live.begin(normal(g), samples ?? [], happened);
  lost = "";
  tell("");
  if (isShown()) showLive();
}

const connect = () => follow("/api/v1/live", {
  up: () => begin().catch((error) => tell(error.message)),
  down: (why) => {
    if (!lost) tell(`The server does not answer since ${f.clock(new Date())}. The page tries again by itself.`);
    lost = why;
    sayState();
  },
  refused: askToken,
  event: take,
});

function askToken() {
  const dialog = $("confirm");
  return new Promise((resolve) => {
    const input = el("input", { type: "password", name: "token", autocomplete: "off", required: true, ariaLabel: "Token" });
    const form = el("form", { method: "dialog", onsubmit: () => { useToken(input.value); resolve(); } },
      el("h2", {}, "This server asks for a token"), el("p", {}, "Its operator has chosen it."), input,
      el("div", { class: "buttons" }, el("button", { type: "submit" }, "Continue")));
    dialog.replaceChildren(form);
    dialog.oncancel = (e) => e.preventDefault();
    if (!dialog.open) dialog.showModal();
  });
}

function pause() {
  if (store.recorded) return;
  paused = paused ? null : new Date(store.now?.time ?? Date.now());
  $("pause").setAttribute("aria-pressed", String(Boolean(paused)));
  text($("pause"), paused ? "Go on" : "Pause");
  if (!paused) return showLive();
  store.begin(live.graph, [...live.samples], [...live.events]); // what comes is not for these
  sayState();
  draw();
}

const player = new Player(({ graph: of, samples, events: happened }) => {
  store.recorded = true;
  store.begin(of, samples, happened);
  sayState();
  draw();
  panel.refresh();
}, () => {
  store.recorded = false;
  panel.close();
  showLive();
});

function play(recording) {
  if (paused) pause();
  panel.close();
  player.open(recording);
}

const turnTheme = startTheme($("theme"), () => { const id = panel.id; panel.close(); if (id) choose(id); });
$("pause").addEventListener("click", pause);
$("refresh").value = localStorage.getItem("penstock-refresh") ?? "1";
$("refresh").addEventListener("change", () => { localStorage.setItem("penstock-refresh", $("refresh").value); if (isShown()) draw(); });
$("menu").addEventListener("click", (e) => { if (e.target.tagName === "BUTTON") $("menu").open = false; });
document.addEventListener("click", (e) => { if (!$("menu").contains(e.target)) $("menu").open = false; });
$("save-dot").addEventListener("click", () => download("graph.dot", "text/vnd.graphviz", graph.dot));
$("save-svg").addEventListener("click", async () => download("graph.svg", "image/svg+xml", await graph.svg()));
$("save-recording").addEventListener("click", async () => {
  let recording = store.recording();
  if (isShown() && !lost) { // the server has more of it
    try {
      recording = await getText("/api/v1/recording");
    } catch (error) {
      tell(`The server does not give its recording (${error.message}): what the page has was saved.`);
    }
  }
  download((store.graph.pipeline || "penstock") + ".jsonl", "application/jsonl", recording);
});
$("load-recording").addEventListener("change", async (e) => {
  const [file] = e.target.files;
  if (!file) return;
  try {
    tell("");
    $("menu").open = false;
    play(readRecording(await file.text()));
  } catch (error) {
    tell(`${file.name}: ${error.message}`);
  }
  e.target.value = "";
});
$("drain").addEventListener("click", async () => {
  if (!(await confirm("Drain and stop?", "The sources stop, the other stages finish what there is, and the program ends. The next start goes on from there.", "Drain and stop"))) return;
  try {
    await post("/api/v1/drain");
  } catch (error) {
    tell(error.message);
  }
});

function escape() {
  if ($("menu").open) $("menu").open = false;
  else panel.close();
}

document.addEventListener("keydown", (e) => {
  const { tagName } = e.target;
  if (e.ctrlKey || e.metaKey || e.altKey || $("confirm").open) return;
  if (e.key !== "Escape" && /^(INPUT|SELECT|TEXTAREA)$/.test(tagName)) return;
  if (e.key === " " && /^(BUTTON|SUMMARY)$/.test(tagName)) return;
  const keys = { Escape: escape, " ": pause, t: turnTheme, g: () => go("graph"), s: () => go("stages"), c: () => go("channels"), e: () => go("events"), d: () => go("letters") };
  if (!Object.hasOwn(keys, e.key)) return;
  if (e.key !== "Escape") e.preventDefault();
  keys[e.key]();
});
const go = (view) => { location.hash = view; };
addEventListener("hashchange", showView);
addEventListener("resize", () => panel.update());

// modeOf asks what the server is for, and for the token until it has it.
async function modeOf() {
  for (;;) {
    try {
      return await get("/api/v1/mode");
    } catch (error) {
      if (!(error instanceof Refused)) {
        tell(error.message);
        return {};
      }
      await askToken();
    }
  }
}

// start follows what is live, or plays what the server was started for.
async function start() {
  showView();
  const mode = await modeOf();
  $("drain").hidden = !mode.drain;
  panel.peeks = mode.peek > 0;
  if (!mode.recording) return connect();
  $("leave-recording").hidden = true;
  try {
    play(readRecording(await getText("/api/v1/recording")));
  } catch (error) {
    tell(error.message);
  }
}

start();
