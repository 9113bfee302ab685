package dashboard

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"penstock/telemetry"
)

// The graph is downloaded as DOT and as SVG.
func TestDownloads(t *testing.T) {
	b := open(t, serve(t, endless(), telemetry.Config{}).url, desktop)
	b.drawn()
	if dot := b.download("#save-dot", "graph.dot"); !strings.HasPrefix(dot, `digraph "fizzbuzz" {`) || !strings.Contains(dot, "load") {
		t.Errorf("graph.dot: %.200s", dot)
	}
	svg := b.download("#save-svg", "graph.svg")
	for decoder, n := xml.NewDecoder(strings.NewReader(svg)), 0; ; n++ {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) && n > 50 {
			break
		}
		if err != nil {
			t.Fatalf("graph.svg, at token %d: %v", n, err)
		}
	}
	if !strings.Contains(svg, "generator") {
		t.Errorf("graph.svg: %.200s", svg)
	}
}

// What was recorded is saved, and played in another page, which shows it as it
// was; and then what is live again.
func TestRecordingIsPlayed(t *testing.T) {
	s := serve(t, endless(), telemetry.Config{})
	b := open(t, s.url, desktop)
	b.drawn()
	s.awaitSamples(t, 3)
	saved := b.download("#save-recording", "fizzbuzz.jsonl")
	samples, _, _, err := telemetry.CheckRecording(strings.NewReader(saved))
	if err != nil || samples < 3 {
		t.Fatalf("%d samples: %v", samples, err)
	}
	file := filepath.Join(t.TempDir(), "saved.jsonl")
	if err := os.WriteFile(file, []byte(saved), 0o600); err != nil {
		t.Fatal(err)
	}
	other := open(t, serve(t, newOrders().Pipeline, telemetry.Config{}).url, desktop)
	other.drawn()
	other.upload("#load-recording", file)
	other.until("it is played", `document.querySelector("#pipeline").textContent === "fizzbuzz" && document.querySelector("#state").textContent === "recording"`)
	other.until("its graph", `document.querySelector("[id='stage-heartbeat']")`)
	first := eval[string](other, `document.querySelector("#played").textContent`)
	other.click("#play")
	other.until("it goes on", `document.querySelector("#played").textContent !== `+literal(first))
	other.do(`(() => { const p = document.querySelector("#position"); p.value = p.max; p.dispatchEvent(new Event("input")); })()`)
	other.click(`[id="stage-worker"]`)
	other.until("charts, and nothing to act on", `document.querySelectorAll("#panel canvas").length === 5 && !document.querySelector("#panel .buttons")`)
	other.click("#leave-recording")
	other.until("what is live", `document.querySelector("#pipeline").textContent === "orders" && document.querySelector("#state").textContent === "running"`)
	other.until("its graph", `document.querySelector("[id='stage-check']")`)
	if err := os.WriteFile(file, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	other.upload("#load-recording", file)
	other.until("what is no recording is refused", `document.querySelector("#notice").textContent.includes("no recording")`)
}

// download clicks an entry of the menu, and returns the file.
func (b *tab) download(button, name string) string {
	b.t.Helper()
	dir := b.t.TempDir()
	_, err := chromedp.CallBrowser(b.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: "allow", BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID, DownloadPath: dir,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.click("#menu > summary")
	b.click(button)
	var data []byte
	wait(b.t, name, func() bool {
		data, err = os.ReadFile(filepath.Join(dir, name))
		return err == nil && len(data) > 0
	})
	return string(data)
}

// upload gives a file to an input.
func (b *tab) upload(selector, file string) {
	b.t.Helper()
	element, err := chromedp.Call(b.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: one(selector)})
	if err == nil {
		_, err = chromedp.Call(b.ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{file}, ObjectID: element.Result.ObjectID})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// A recording is also played by a server of its own, without a pipeline.
func TestRecordingIsServed(t *testing.T) {
	s := serve(t, endless(), telemetry.Config{})
	b := open(t, s.url, desktop)
	b.drawn()
	file := filepath.Join(t.TempDir(), "saved.jsonl")
	if err := os.WriteFile(file, []byte(b.download("#save-recording", "fizzbuzz.jsonl")), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	where, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- telemetry.Play(ctx, file, telemetry.Config{Address: "127.0.0.1:0"}, func(url string) { where <- url })
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	other := open(t, <-where, desktop)
	other.until("its graph", `document.querySelectorAll(".canvas g.node").length === 4 && document.querySelector("#state").textContent === "recording"`)
	for _, view := range []string{"stages", "channels", "events", "letters"} {
		other.view(view)
	}
}
