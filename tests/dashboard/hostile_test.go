package dashboard

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
	"penstock/telemetry"
)

// attacks are texts that become something else where they are taken for markup,
// a script, an attribute or the language of Graphviz.
var attacks = []string{
	`<img src=x onerror="window.hacked=1">`,
	`</script><script>window.hacked=2</script>`,
	`"];evil [label="x"];a [x="`,
	`<<b>not</b> an HTML label> \N \G \" &lt;svg onload=window.hacked=3&gt;`,
	`javascript:window.hacked=4//'"` + "`${window.hacked=5}`",
}

// hostileType has a name that is one: it is written at its channel.
type hostileType = struct {
	X string `json:"x" note:"<img src=x onerror=window.hacked=6> ]; \" & </title><script>window.hacked=7</script>"`
}

// Whatever errors, panics, values, keys and types hold stays text, and nothing of
// it runs: each place is looked at in the DOM.
func TestHostileTexts(t *testing.T) {
	all := strings.Join(attacks, " ")
	p := engine.New("hostile")
	faults := make(chan any, 8)
	texts := engine.Source(p, "texts", func(ctx context.Context, n *int, emit engine.Emit[hostileType]) error {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		*n++
		emit(hostileType{all}, engine.WithKey(all))
		return nil
	})
	quick := supervise.Backoff{Initial: 50 * time.Millisecond, Max: 50 * time.Millisecond}
	engine.Sink(p.With(engine.Attempts(1), engine.RestartBackoff(quick)), "reader", texts, func(_ context.Context, state *hostileType, m engine.Message[hostileType]) error {
		state.X = m.Value.X
		select {
		case fault := <-faults:
			if err, is := fault.(error); is {
				return err
			}
			panic(fault)
		default:
		}
		return nil
	})
	b := open(t, serve(t, p, telemetry.Config{Peek: 3}).url, desktop)
	b.drawn()
	b.isText("the type at its channel", `document.querySelector("[id='channel-texts>reader'] text").textContent`, `<img src=x onerror=window.hacked=6> ];`)

	b.click(`[id="channel-texts>reader"]`)
	b.isText("the type in the panel", `document.querySelector("#panel .kind").textContent`, `</title><script>window.hacked=7</script>`)
	b.click("#panel button", "Look")
	b.isText("a message", `document.querySelector("#panel .message pre").textContent`, `<img src=x onerror=\"window.hacked=1\">`)
	b.isText("a key", `document.querySelector("#panel .message .who").textContent`, all)

	for _, attack := range attacks {
		faults <- errors.New(attack)
	}
	faults <- all
	b.view("events")
	for _, attack := range attacks {
		b.isText("an error", `[...document.querySelectorAll(".event .what")].map((e) => e.textContent).join("\n")`, attack)
	}
	b.isText("a panic", `[...document.querySelectorAll(".event .what")].map((e) => e.textContent).join("\n")`, "panic: "+all)
	b.view("letters")
	b.until("the letters", `document.querySelectorAll(".letters tbody tr").length === 6`)
	b.click(".letters tbody tr", "panic: ")
	b.isText("a letter's value", `document.querySelector(".letter").textContent`, `window.hacked=5`)
	b.view("graph")
	b.click(`[id="stage-reader"]`)
	b.isText("the state", `document.querySelector("#panel .state").textContent`, `</script><script>window.hacked=2</script>`)
	b.nothingRan()
}

// A recording is a file of anybody's: its names and texts stay text, too.
func TestHostileRecording(t *testing.T) {
	name := literal(strings.Join(attacks, " "))
	stage := `{"name":` + name + `,"state":` + name + `,"color":"red","call":{},"latency":{},"commit":{},"batch":{}}`
	lines := []string{
		`{"format":"penstock-telemetry","version":1,"graph":{"pipeline":` + name + `,"groups":[{"name":` + name + `,"group":"","strategy":` + name + `}],` +
			`"stages":[{"name":` + name + `,"kind":` + name + `,"group":` + name + `}],"channels":[{"stream":` + name + `,"writer":` + name + `,"reader":` + name + `,"type":` + name + `}]}}`,
		`{"sample":{"time":"2026-01-02T03:04:05Z","state":` + name + `,"process":{"cpu":0},"stages":[` + stage + `],"channels":[{"stream":` + name + `,"reader":` + name + `,"color":"red"}]}}`,
		`{"event":{"time":"2026-01-02T03:04:05Z","stage":` + name + `,"kind":` + name + `,"error":` + name + `,"stack":` + name + `}}`,
	}
	file := filepath.Join(t.TempDir(), "evil.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, serve(t, endless(), telemetry.Config{}).url, desktop)
	b.drawn()
	b.upload("#load-recording", file)
	for place, js := range map[string]string{
		"the name of the pipeline": `document.querySelector("#pipeline").textContent`,
		"the title":                `document.title`,
		"a stage in the graph":     `document.querySelector(".canvas g.node")?.textContent`,
	} {
		b.isText(place, js, attacks[0])
	}
	b.view("stages")
	b.isText("the table", `document.querySelector("tbody")?.textContent`, attacks[0])
	b.view("events")
	b.isText("an event", `document.querySelector(".event")?.textContent`, attacks[0])
	b.nothingRan()
}

// isText waits until some text of the page holds another.
func (b *tab) isText(what, js, text string) {
	b.t.Helper()
	b.until(what, "(() => { try { return ("+js+").includes("+literal(text)+"); } catch { return false; } })()")
}

// nothingRan says that no text became a script, or an element.
func (b *tab) nothingRan() {
	b.t.Helper()
	if ran := eval[any](b, "window.hacked ?? null"); ran != nil {
		b.t.Errorf("attack %v ran", ran)
	}
	if n := eval[int](b, `document.querySelectorAll("body script, [onerror], [onload], img:not([src^='/assets/']), .canvas a").length`); n != 0 {
		b.t.Errorf("%d elements came from texts", n)
	}
}
