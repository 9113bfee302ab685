package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a page of the browser, in a context of its own.
type tab struct {
	t    *testing.T
	ctx  context.Context
	url  string
	host string

	mu       sync.Mutex
	problems []string // what the browser complained of
	failed   []string // what requests failed
	excused  bool     // requests may fail: the server goes away, or refuses, on purpose
}

// device is what somebody looks with.
type device struct {
	width, height int64
	phone         bool
	scheme        string // prefers-color-scheme
	still         bool   // prefers-reduced-motion
}

var desktop = device{width: 1400, height: 900, scheme: "light"}

// late is how long a test waits for what has to come.
const late = 30 * time.Second

// open opens the page. What the browser complains of makes the test fail.
func open(t *testing.T, address string, d device) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(needBrowser(t), chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	where, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	tab := &tab{t: t, ctx: ctx, url: address, host: where.Host}
	if err := errors.Join(chromedp.Listen(ctx, tab.listen), d.apply(ctx)); err != nil {
		t.Fatal(err)
	}
	tab.run(chromedp.Navigate(address))
	t.Cleanup(func() {
		tab.mu.Lock()
		defer tab.mu.Unlock()
		if !tab.excused {
			tab.problems = append(tab.problems, tab.failed...)
		}
		for _, problem := range tab.problems {
			t.Error("the browser complains:", problem)
		}
		if t.Failed() {
			tab.keepPicture()
		}
	})
	return tab
}

func (d device) apply(ctx context.Context) error {
	motion := "no-preference"
	if d.still {
		motion = "reduce"
	}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: d.scheme}, {Name: "prefers-reduced-motion", Value: motion},
	}})
	if err != nil {
		return err
	}
	if _, err = chromedp.Call(ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: d.phone}); err != nil {
		return err
	}
	_, err = chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: d.width, Height: d.height, DeviceScaleFactor: 1, Mobile: d.phone,
	})
	return err
}

// listen hears what a user would find in the console.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	complain := func(format string, args ...any) { b.problems = append(b.problems, fmt.Sprintf(format, args...)) }
	fail := func(format string, args ...any) { b.failed = append(b.failed, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		complain("exception: %+v %+v", e.ExceptionDetails, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		if slices.Contains([]string{"error", "warning", "assert"}, string(e.Type)) {
			complain("console.%s: %s", e.Type, e.Args[0].Value)
		}
	case *log.EventEntryAdded: // violations of the content policy, too
		switch {
		case e.Entry.Level != log.EntryLevelError && e.Entry.Level != log.EntryLevelWarning:
		case e.Entry.Source == log.EntrySourceNetwork:
			fail("%s %s", e.Entry.Text, e.Entry.URL)
		default:
			complain("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		to, err := url.Parse(e.Request.URL)
		own := err == nil && (to.Host == b.host || to.Scheme == "blob" || to.Scheme == "data" || to.Scheme == "about")
		if !own {
			complain("a request to another host: %s", e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			fail("%d of %s", e.Response.Status, e.Response.URL)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			fail("a request failed: %s", e.ErrorText)
		}
	case *page.EventJavascriptDialogOpening:
		complain("a dialog of the browser: %s", e.Message)
	}
}

// excuse lets requests fail.
func (b *tab) excuse() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.excused = true
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, late)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// eval reads something of the page.
func eval[T any](b *tab, js string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, late)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

// do runs something in the page.
func (b *tab) do(js string) {
	b.t.Helper()
	eval[any](b, js+"; 0")
}

// until waits for a condition in the page.
func (b *tab) until(what, js string) {
	b.t.Helper()
	b.within(late, what, js)
}

func (b *tab) within(most time.Duration, what, js string) (took time.Duration) {
	b.t.Helper()
	begin := time.Now()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for !eval[bool](b, "Boolean("+js+")") {
		if took = time.Since(begin); took > most {
			b.t.Fatalf("not within %v: %s; seen is:\n%s", most, what, eval[string](b, "document.body.innerText.slice(0, 4000)"))
		}
		<-tick.C
	}
	return time.Since(begin)
}

// one is JavaScript for the element with a selector, and with a text if given.
func one(selector string, text ...string) string {
	if len(text) == 0 {
		return fmt.Sprintf("document.querySelector(%s)", literal(selector))
	}
	return fmt.Sprintf("[...document.querySelectorAll(%s)].find((e) => e.textContent.includes(%s))", literal(selector), literal(text[0]))
}

func literal(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// click clicks the middle of an element as a mouse does: it has to be seen, and
// nothing may cover it.
func (b *tab) click(selector string, text ...string) {
	b.t.Helper()
	element := one(selector, text...)
	place := fmt.Sprintf(`(() => {
		const e = %s;
		if (!e) return null;
		e.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
		const box = (e.querySelector("text") ?? e).getBoundingClientRect();
		const x = box.x + box.width / 2, y = box.y + box.height / 2;
		const hit = document.elementFromPoint(x, y);
		return hit && (e.contains(hit) || hit.contains(e) && hit.closest("label")) ? { x, y } : null;
	})()`, element)
	what := strings.Join(append([]string{selector}, text...), " ")
	b.until("can be clicked: "+what, place)
	at := eval[*struct{ X, Y float64 }](b, place)
	if at == nil {
		b.t.Fatalf("%s was covered", what)
	}
	b.run(chromedp.MouseClickXY(at.X, at.Y))
}

// press sends keys, such as "t" or kb.Tab.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.run(chromedp.KeyEvent(key))
	}
}

// look goes on with another device.
func (b *tab) look(d device) {
	b.t.Helper()
	if err := d.apply(b.ctx); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) reload() {
	b.t.Helper()
	b.run(chromedp.Navigate(b.url))
}

// choose chooses an option of a select.
func (b *tab) choose(selector, value string) {
	b.t.Helper()
	b.do(fmt.Sprintf("(() => { const e = %s; e.value = %s; e.dispatchEvent(new Event('change', { bubbles: true })); })()", one(selector), literal(value)))
}

// graph is the text of the graph that is seen, once it is that of the moment the page shows.
func (b *tab) graph() string {
	b.t.Helper()
	b.until("the graph", one(`.graph[aria-busy="false"] .canvas svg`))
	return eval[string](b, `document.querySelector(".canvas svg").textContent`)
}

// view shows one of the page's views.
func (b *tab) view(name string) {
	b.t.Helper()
	b.click(`.tabs a[data-view="` + name + `"]`)
	b.until("the view "+name, one(`.tabs a[aria-current="page"]`)+`?.dataset.view === "`+name+`"`)
}

// drawn waits for a drawing of the graph with numbers.
func (b *tab) drawn() {
	b.t.Helper()
	b.until("the graph is drawn", `document.querySelector(".canvas g.node")?.querySelectorAll("text").length >= 3 && document.querySelector("#state").classList.contains("is-running")`)
}
