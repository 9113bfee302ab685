package dashboard

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"penstock/telemetry"
)

// The page loads without a complaint of the browser, and the graph is that of the
// lesson, and moves.
func TestGraph(t *testing.T) {
	b := open(t, serve(t, endless(), telemetry.Config{}).url, desktop)
	b.drawn()
	if got := eval[string](b, `[...document.querySelectorAll(".canvas g.node")].map((g) => g.id).sort().join()`); got != "stage-generator,stage-heartbeat,stage-logger,stage-worker" {
		t.Errorf("stages: %s", got)
	}
	if got := eval[string](b, `[...document.querySelectorAll(".canvas g.edge")].map((g) => g.id).sort().join()`); got != "channel-generator>worker,channel-heartbeat>worker,channel-worker>logger" {
		t.Errorf("channels: %s", got)
	}
	const rate = `document.getElementById("channel-worker>logger").querySelectorAll("text")[1].textContent`
	b.until("a rate", `parseFloat(`+rate+`) > 1`)
	b.do(`window.drawing = document.querySelector(".canvas svg"); window.tip = document.querySelector("[id='stage-worker'] title").textContent`)
	b.until("other numbers", `document.querySelector("[id='stage-worker'] title").textContent !== window.tip`)
	if eval[bool](b, `window.drawing !== document.querySelector(".canvas svg")`) {
		t.Error("the graph was drawn anew for other numbers: it jumps")
	}
	if got := eval[string](b, "document.title"); got != "fizzbuzz – Penstock" {
		t.Errorf("title %q", got)
	}
}

// A panic is seen within two seconds: as an event, and at its stage.
func TestPanicIsSeen(t *testing.T) {
	o := newOrders()
	b := open(t, serve(t, o.Pipeline, telemetry.Config{}).url, desktop)
	b.drawn()
	b.view("events")
	o.fault <- "the check fails on purpose"
	took := b.within(2*time.Second, "the fault as an event", one(".event summary", "the check fails on purpose"))
	t.Logf("seen after %v", took)
	b.until("the last event of it: the lines move until then", one(".event", "dead letter"))
	b.click(".event summary", "the check fails on purpose")
	b.until("its stack", `document.querySelector(".event[open] pre")?.textContent.includes("dashboard.newOrders")`)
	b.view("graph")
	b.within(2*time.Second, "the restart at the stage", `document.querySelector("[id='stage-check']")?.textContent.includes("1 restart")`)
	b.until("a count", `document.querySelector("#faults").textContent === "1"`)
	b.view("events")
	if !eval[bool](b, `Boolean(document.querySelector(".event[open] pre"))`) {
		t.Error("the stack that was read is closed again")
	}
	o.fault <- errors.New("and an error")
	b.within(2*time.Second, "the error as an event", one(".event", "and an error"))
}

// Pause stops the page at a time that it says, whatever is looked at; and goes on.
func TestPause(t *testing.T) {
	s := serve(t, endless(), telemetry.Config{})
	b := open(t, s.url, desktop)
	b.drawn()
	b.view("stages")
	b.until("numbers", one("tbody tr"))
	b.click("#pause")
	b.until("the time", `/^paused at \d+:\d\d:\d\d$/.test(document.querySelector("#state").textContent)`)
	const shown = `[...document.querySelectorAll("tbody td")].map((td) => td.textContent).join()`
	still := eval[string](b, shown)
	b.view("graph")
	graph := b.graph()
	b.view("channels")
	b.view("stages")
	s.awaitSamples(t, 2)
	if now := eval[string](b, shown); now != still {
		t.Errorf("it moves while it is paused:\n%s\n%s", still, now)
	}
	b.view("graph")
	if b.graph() != graph {
		t.Error("the graph moves while the page is paused")
	}
	b.press("t", " ") // the theme does not end it, the key does
	b.until("it goes on", `document.querySelector("#state").textContent === "running"`)
	b.view("stages")
	b.until("other numbers", shown+" !== "+literal(still))
}

// A graph that was asked for before the pause, and comes after it, is not shown: the page shows that of the pause.
func TestPauseDuringADrawing(t *testing.T) {
	s := serve(t, endless(), telemetry.Config{})
	b := open(t, s.url, desktop)
	b.drawn()
	b.do(`
		const ask = window.fetch;
		window.asked = { live: 0, still: 0 };
		const gate = new Promise((resolve) => (window.letGo = resolve));
		window.fetch = async (url, ...how) => {
			if (String(url).endsWith("/api/v1/graph.dot")) window.asked.still++;
			else if (String(url).endsWith("/graph.dot")) {
				window.asked.live++;
				await gate;
			}
			return ask(url, ...how);
		}`)
	b.until("a drawing under way", `window.asked.live === 1`)
	b.click("#pause")
	b.until("the pause", `document.querySelector("#state").textContent.startsWith("paused")`)
	s.awaitSamples(t, 2)
	b.do(`window.letGo()`)
	b.until("the graph of the pause", `window.asked.still === 1`)
	graph := b.graph()
	b.view("stages")
	b.view("graph")
	if again := b.graph(); again != graph {
		t.Errorf("the graph is not that of the pause:\n%s\n%s", graph, again)
	}
	if live := eval[int](b, `window.asked.live`); live != 1 {
		t.Errorf("%d graphs of what comes were asked for, most of them during the pause", live)
	}
}

// The theme turns, is kept, and follows the machine until it was chosen.
func TestTheme(t *testing.T) {
	s := serve(t, endless(), telemetry.Config{})
	const isDark = `getComputedStyle(document.body).backgroundColor === "rgb(16, 21, 29)"`
	b := open(t, s.url, desktop)
	b.drawn()
	if eval[bool](b, isDark) {
		t.Error("dark, on a light machine")
	}
	dark := desktop
	dark.scheme = "dark"
	b.look(dark)
	b.until("dark as the machine", isDark)
	b.click("#theme")
	b.until("light as it was chosen", "!("+isDark+")")
	b.reload()
	b.drawn()
	if eval[bool](b, isDark) {
		t.Error("the choice was not kept")
	}
	b.press("t")
	b.until("dark again", isDark)
}

// The page draws as often as was chosen, and remembers that.
func TestRefreshRate(t *testing.T) {
	b := open(t, serve(t, endless(), telemetry.Config{Interval: 100 * time.Millisecond}).url, desktop)
	b.drawn()
	b.view("stages")
	b.until("numbers", one("tbody tr"))
	b.do(`window.draws = []; new MutationObserver(() => window.draws.push(performance.now())).observe(document.querySelector("tbody"), { childList: true, subtree: true, characterData: true })`)
	gaps := `window.draws.slice(1).map((at, k) => at - window.draws[k])`
	b.until("draws each second", `window.draws.length >= 4`)
	if least := eval[float64](b, "Math.min(..."+gaps+")"); least < 800 {
		t.Errorf("drawn after %v ms, with 1 s chosen", least)
	}
	b.choose("#refresh", "2")
	b.do(`window.draws = []`)
	b.until("draws each other second", `window.draws.length >= 3`)
	if least := eval[float64](b, "Math.min(..."+gaps+")"); least < 1700 {
		t.Errorf("drawn after %v ms, with 2 s chosen", least)
	}
	b.reload()
	b.until("it is kept", `document.querySelector("#refresh").value === "2"`)
}

// All of it can be reached by keys: a stage in the graph, its panel, the views.
func TestKeyboard(t *testing.T) {
	b := open(t, serve(t, endless(), telemetry.Config{}).url, desktop)
	b.drawn()
	for range 40 {
		if b.press(kb.Tab); eval[string](b, "document.activeElement.id") == "stage-worker" {
			break
		}
	}
	if got := eval[string](b, "document.activeElement.id"); got != "stage-worker" {
		t.Fatalf("Tab does not reach the worker, but %q", got)
	}
	if label := eval[string](b, `document.activeElement.getAttribute("aria-label")`); !strings.HasPrefix(label, "worker, processor · running") {
		t.Errorf("it is called %q", label)
	}
	b.press(kb.Enter)
	b.until("its panel", `document.querySelector("#panel:not([hidden]) h2")?.textContent === "worker"`)
	b.until("its charts", `document.querySelectorAll("#panel canvas").length === 5`)
	b.press(kb.Escape)
	b.until("no panel", `document.querySelector("#panel").hidden`)
	b.until("the focus is where it was", `document.activeElement.id === "stage-worker"`)
	for key, view := range map[string]string{"s": "stages", "c": "channels", "e": "events", "d": "letters", "g": "graph"} {
		b.press(key)
		b.until("the view of "+key, one(`.tabs a[aria-current="page"]`)+`.dataset.view === "`+view+`"`)
	}
	b.press("s")
	b.until("a table", one("tbody tr"))
	b.do(`document.querySelector("tbody tr").focus()`)
	b.press(kb.Enter)
	b.until("a panel from the table", `document.querySelector("#panel:not([hidden]) h2")`)
	b.press(kb.Escape)
	b.press("g")
	b.until("the graph", one(".canvas svg"))
	before := eval[string](b, viewBox)
	b.do(`document.querySelector(".canvas").focus()`)
	for _, key := range []string{"+", kb.ArrowRight, "-", "0"} {
		now := eval[string](b, viewBox)
		b.press(key)
		b.until("moved by "+key, viewBox+" !== "+literal(now))
	}
	if after := eval[string](b, viewBox); after != before {
		t.Errorf("Fit shows %s, before %s", after, before)
	}
}

// Who zooms in the moment in which the graph comes back zooms what is seen, and not the size of what was hidden.
func TestZoomAtOnce(t *testing.T) {
	b := open(t, serve(t, endless(), telemetry.Config{}).url, desktop)
	b.drawn()
	width := `Number(` + viewBox + `.split(" ")[2])`
	whole := eval[float64](b, width)
	b.view("stages")
	b.do(`new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen))).then(() => {
		addEventListener("hashchange", () => {
			document.querySelector(".canvas").dispatchEvent(new KeyboardEvent("keydown", { key: "+", bubbles: true }));
			window.zoomed = true;
		}, { once: true });
		location.hash = "graph";
	})`)
	b.until("zoomed", `window.zoomed`)
	if now := eval[float64](b, width); math.Abs(whole/now-1.4) > 0.01 {
		t.Errorf("after + %v wide, before %v", now, whole)
	}
}

const viewBox = `document.querySelector(".canvas svg").getAttribute("viewBox")`
