package dashboard

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"penstock/examples/fizzbuzz"
	"penstock/telemetry"
)

var pictures = flag.String("screenshots", "", "the `folder` that pictures of the page are written to")

// looks are what each view is looked at with.
var looks = map[string]device{
	"desktop-light": desktop,
	"desktop-dark":  {width: 1400, height: 900, scheme: "dark"},
	"phone-light":   {width: 390, height: 844, phone: true, scheme: "light"},
	"phone-dark":    {width: 390, height: 844, phone: true, scheme: "dark"},
}

// TestScreenshots takes pictures of all views, to be looked at.
func TestScreenshots(t *testing.T) {
	if *pictures == "" {
		t.Skip("takes pictures only with -screenshots DIR")
	}
	if err := os.MkdirAll(*pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	small := serve(t, fizzbuzz.New(fizzbuzz.Config{Rate: 100 * time.Millisecond, Beats: 20_000}), telemetry.Config{Peek: 5})
	large := serve(t, wide(), telemetry.Config{})
	for look, d := range looks {
		t.Run(look, func(t *testing.T) {
			b := open(t, small.url, d)
			b.drawn()
			b.within(2*time.Minute, "both dead letters are there", `Number(document.querySelector("#letters-count").textContent) === 2`)
			b.take("fizzbuzz-graph-" + look)
			for _, view := range []string{"stages", "channels", "events", "letters"} {
				b.view(view)
				b.settle()
				b.take("fizzbuzz-" + view + "-" + look)
			}
			b.until("letters", one("tbody tr"))
			b.click(".letters tbody tr")
			b.until("a letter", one(".letter h3"))
			b.take("fizzbuzz-letter-" + look)
			b.view("graph")
			b.click(`[id="stage-worker"]`)
			b.until("its charts", `document.querySelectorAll("#panel .u-over").length >= 5 && document.querySelector("#panel .state").textContent.length > 3`)
			b.take("fizzbuzz-stage-" + look)
			b.do(`document.querySelector("#panel").scrollTo(0, 1e6)`)
			b.take("fizzbuzz-stage-end-" + look)
			b.click("#panel .close")
			b.click(`[id="channel-worker>logger"]`)
			b.until("its charts", `document.querySelectorAll("#panel .u-over").length >= 4`)
			b.take("fizzbuzz-channel-" + look)
			b.click("#panel .close")
			b.click("#menu > summary")
			b.take("fizzbuzz-menu-" + look)

			b = open(t, large.url, d)
			b.drawn()
			b.settle()
			b.take("wide-graph-" + look)
			b.view("stages")
			b.settle()
			b.take("wide-stages-" + look)
			b.view("graph")
			for range 5 {
				b.click(`.zoom button[title^="Zoom in"]`)
			}
			b.take("wide-zoomed-" + look)
		})
	}
}

// settle waits until two samples more have come.
func (b *tab) settle() {
	b.t.Helper()
	b.do(`window.seen = 0; new MutationObserver(() => window.seen++).observe(document.querySelector("#facts"), { childList: true, subtree: true, characterData: true });`)
	b.until("two more samples", "window.seen >= 2")
}

func (b *tab) take(name string) {
	b.t.Helper()
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), image, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// keepPicture keeps what was seen when a test failed, if there is a folder for it.
func (b *tab) keepPicture() {
	if *pictures == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, late)
	defer cancel()
	image, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return
	}
	name := "failed-" + strings.ReplaceAll(b.t.Name(), "/", "-") + ".png"
	_ = os.WriteFile(filepath.Join(*pictures, name), image, 0o644)
}
