package dashboard

import (
	_ "embed"
	"errors"
	"testing"
	"time"

	"penstock/telemetry"
)

//go:embed contrast.js
var contrastScript string

// Every text has a contrast of 4.5 to what it stands on, large ones 3: in both
// themes, in all views, for stages of all colors.
func TestContrast(t *testing.T) {
	o := newOrders()
	s := serve(t, o.Pipeline, telemetry.Config{Peek: 3, Triggers: []telemetry.Trigger{
		{Stage: "entry", Measure: telemetry.Load, Above: -1, Color: telemetry.Yellow}, {Stage: "check", Measure: telemetry.Load, Above: -1, Color: telemetry.Orange},
		{Stream: "entry", Measure: telemetry.Fill, Above: -1, Color: telemetry.Yellow}, {Stream: "check", Measure: telemetry.Fill, Above: -1, Color: telemetry.Red},
		{Stage: "ship", Measure: telemetry.Load, Above: -1, Color: telemetry.Red},
	}})
	o.next <- order{Name: "spoons", Bad: true}
	o.fault <- errors.New("on purpose")
	for _, scheme := range []string{"light", "dark"} {
		d := desktop
		d.scheme, d.still = scheme, true // no color that is on its way to another
		b := open(t, s.url, d)
		b.drawn()
		b.until("the triggers' colors", `document.querySelector("g.node.red") && document.querySelector("g.node.orange") && document.querySelector("g.node.yellow")`)
		texts := 0
		look := func(place string) {
			t.Helper()
			found := eval[struct {
				Seen  int
				Wrong []string
			}](b, contrastScript)
			texts += found.Seen
			for _, wrong := range found.Wrong {
				t.Errorf("%s, %s: %s", scheme, place, wrong)
			}
		}
		look("the graph")
		b.click(`[id="stage-check"]`)
		b.until("its charts", `document.querySelectorAll("#panel canvas").length === 5`)
		look("a stage")
		b.click("#panel button", "Restart")
		b.until("a question", `document.querySelector("#confirm").open`)
		look("a question")
		b.click("#confirm button", "Cancel")
		b.click("#panel .close")
		for _, view := range []string{"stages", "channels", "events", "letters"} {
			b.view(view)
			b.until("something", `document.querySelector("#view tbody tr, #view .event")`)
			look(view)
		}
		b.click("#view tbody tr")
		b.until("a letter", one(".letter h2"))
		b.click("#menu > summary")
		look("a letter and the menu")
		b.click("#pause")
		b.until("paused", `document.querySelector("#state").textContent.startsWith("paused")`)
		look("paused")
		if texts < 300 {
			t.Errorf("only %d texts were looked at", texts)
		}
	}
}

// On a phone nothing is wider than the page, and everything can be reached.
func TestPhone(t *testing.T) {
	phone := device{width: 390, height: 844, phone: true, scheme: "light"}
	o := newOrders()
	b := open(t, serve(t, o.Pipeline, telemetry.Config{}).url, phone)
	b.drawn()
	o.next <- order{Name: "spoons", Bad: true}
	narrow := func(place string) {
		t.Helper()
		if wide := eval[float64](b, "document.documentElement.scrollWidth"); wide > 390 {
			t.Errorf("%s is %v wide", place, wide)
		}
	}
	narrow("the graph")
	b.click(`[id="stage-check"]`)
	b.until("its charts", `document.querySelectorAll("#panel canvas").length === 5`)
	narrow("a stage")
	b.click("#panel button", "Restart")
	b.click("#confirm button", "Cancel")
	b.click("#panel .close")
	for _, view := range []string{"stages", "channels", "events", "letters"} {
		b.view(view)
		b.until("something", `document.querySelector("#view tbody tr, #view .event")`)
		narrow(view)
	}
	b.click("#view tbody tr")
	b.click(".letter button", "Discard")
	narrow("a question")
	b.click("#confirm button", "Cancel")
	b.click("#theme")
	b.click("#pause")
	b.click("#menu > summary")
	for _, entry := range []string{"#save-dot", "#save-svg", "#save-recording", ".file", "#drain"} {
		b.until(entry+" is within the page", `(() => { const box = document.querySelector("`+entry+`").getBoundingClientRect(); return box.left >= 0 && box.right <= 390 && box.height > 0; })()`)
	}
	narrow("the menu")
}

// Who asked for less motion gets none.
func TestReducedMotion(t *testing.T) {
	still := desktop
	still.still = true
	s := serve(t, endless(), telemetry.Config{})
	const moving = `[...document.querySelectorAll("*")].filter((e) => { const s = getComputedStyle(e); return s.animationName !== "none" || s.transitionDuration.split(",").some((d) => parseFloat(d) > 0); }).length`
	b := open(t, s.url, still)
	b.drawn()
	if n := eval[int](b, moving); n != 0 {
		t.Errorf("%d elements move", n)
	}
	b.look(desktop)
	b.until("it moves for others", moving+" > 0") // else the test says nothing
}

// Forty stages are laid out without overlaps, all names are read without a zoom,
// and what they do with one.
func TestWideGraph(t *testing.T) {
	b := open(t, serve(t, wide(), telemetry.Config{}).url, desktop)
	b.drawn()
	if n := eval[int](b, `document.querySelectorAll(".canvas g.node").length`); n != 40 {
		t.Fatalf("%d stages", n)
	}
	const size = `Math.min(...[...document.querySelectorAll(".canvas g.node text:first-of-type")].map((t) => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a))`
	if px := eval[float64](b, size); px < 8 {
		t.Errorf("names of %.1f pixels", px)
	}
	const overlaps = `(() => {
		const boxes = [...document.querySelectorAll(".canvas g.node")].map((g) => ({ id: g.id, box: g.getBoundingClientRect(), texts: [...g.querySelectorAll("text")].filter((t) => t.checkVisibility()).map((t) => t.getBoundingClientRect()) }));
		const wrong = [];
		for (const a of boxes) {
			for (const t of a.texts) if (t.left < a.box.left - 1 || t.right > a.box.right + 1) wrong.push(a.id + " is cut");
			for (const b of boxes) if (a.id < b.id && a.box.left < b.box.right && b.box.left < a.box.right && a.box.top < b.box.bottom && b.box.top < a.box.bottom) wrong.push(a.id + " and " + b.id);
		}
		return wrong.join();
	})()`
	if wrong := eval[string](b, overlaps); wrong != "" {
		t.Errorf("overlaps: %s", wrong)
	}
	for range 3 {
		b.click(`.zoom button[title^="Zoom in"]`)
	}
	b.until("all is written", `document.querySelector(".canvas svg").dataset.level === "near"`)
	if wrong := eval[string](b, overlaps); wrong != "" {
		t.Errorf("overlaps: %s", wrong)
	}
	view := eval[string](b, viewBox)
	text := eval[string](b, `document.querySelector(".canvas svg").textContent`)
	b.within(10*time.Second, "other numbers", `document.querySelector(".canvas svg").textContent !== `+literal(text))
	if now := eval[string](b, viewBox); now != view {
		t.Errorf("what was zoomed to moved from %s to %s", view, now)
	}
}
