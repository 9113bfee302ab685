package telemetry

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
)

// hostile is what an attacker gets into an error, a health report or a value:
// markup, escapes of several languages, a line of a log and of an event stream,
// what steers a terminal, and credentials.
const (
	markup  = `</script><img src=x onerror="alert(1)">&lt;b&gt;` + "\x1b]0;t\a\u2028\nlevel=ERROR msg=forged\n\nevent: sample\ndata: {}\n" + `"]; evil [URL="javascript:alert(1)"] \N \" ` + "\x00\xff"
	login   = "nats://penstock:hunter2@broker.example:4222,tls://hunter2@other.example:4222"
	hostile = markup + login
)

// hostilePipeline has a stage that panics, a degraded one, and dead letters, all of which say what is hostile.
func hostilePipeline() *engine.Pipeline {
	p := engine.New("hostile")
	numbers := engine.Source(p, "numbers", func(ctx context.Context, next *uint64, emit engine.Emit[string]) error {
		if *next < 3 {
			*next++
			emit(hostile)
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	})
	check := supervise.Check{Interval: time.Millisecond, Probe: func(context.Context) supervise.Health { return supervise.Degraded(hostile) }}
	engine.Sink(p.With(engine.Attempts(2), engine.HealthChecks(check)), "sink", numbers, func(_ context.Context, seen *[]string, m engine.Message[string]) error {
		if *seen == nil {
			*seen = []string{m.Value}
			return nil
		}
		if m.Offset == 1 {
			return engine.Reject(errors.New(hostile))
		}
		panic(hostile)
	})
	return p
}

// Nothing that comes from a message, an error or a panic gets anywhere but as text, and no credentials get anywhere.
func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	s := servePipeline(t, hostilePipeline(), Config{Peek: 10, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	s.until("two dead letters, and a health report", func() bool {
		sink := s.stage("sink")
		return sink.DeadLetters == 2 && strings.HasPrefix(sink.Health, "degraded")
	})
	s.until("a sample of that", func() bool { return s.sampleOf("sink").DeadLetters == 2 && s.sampleOf("sink").Health != "" })
	_, _, letters := s.ask("GET", "/api/v1/letters", nil)
	ids := regexp.MustCompile(`sink\.0:[^"]*`).FindAllString(letters, -1)
	if len(ids) != 2 {
		t.Fatalf("letters %s", letters)
	}
	for _, path := range []string{
		"/api/v1/status", "/api/v1/sample", "/api/v1/history", "/api/v1/events", "/api/v1/graph", "/api/v1/recording", "/api/v1/letters",
		"/api/v1/stages/sink/events", "/metrics", "/graph.dot", "/readyz",
		"/api/v1/letters/" + ids[0], "/api/v1/letters/" + ids[1], "/api/v1/stages/sink/state", "/api/v1/messages/numbers",
	} {
		code, h, body := s.ask("GET", path, nil)
		if code != 200 {
			t.Errorf("%s: %d %s", path, code, body)
		}
		checkText(t, path, h, body)
		// State and value of a letter are the user's own, and shown as they are.
		isOwn := strings.Contains(path, "/state") || strings.Contains(path, "/messages/") || strings.Contains(path, "/letters/")
		if strings.Contains(body, "hunter2") && !isOwn {
			t.Errorf("%s shows a password:\n%s", path, body)
		}
	}
	if text := log.String(); strings.Contains(text, "\nlevel=ERROR") || strings.Contains(text, "\x1b") {
		t.Errorf("a line of the log is forged:\n%s", text)
	}
}

// checkText finds markup and control characters that are not part of a text.
func checkText(t *testing.T, path string, h http.Header, body string) {
	t.Helper()
	kind := h.Get("Content-Type")
	switch {
	case strings.HasPrefix(kind, "application/json"): // harmless also where somebody takes it for HTML
		if strings.ContainsAny(body, "<>&\x00\x1b\u2028") {
			t.Errorf("%s has markup:\n%s", path, body)
		}
	case strings.HasPrefix(kind, "text/plain"), strings.HasPrefix(kind, "text/vnd.graphviz"), kind == "application/jsonl":
		if strings.ContainsAny(body, "\x00\x1b\a") {
			t.Errorf("%s has control characters:\n%q", path, body)
		}
	default:
		t.Errorf("%s is a %s", path, kind)
	}
}

// A message of the live stream is one line, whatever it holds.
func TestHostileTextIsOneMessage(t *testing.T) {
	t.Parallel()
	message, err := eventMessage("event", Event{Error: hostile, Stack: hostile})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(message, []byte("\n")) != 3 || bytes.Contains(message, []byte("<")) {
		t.Errorf("%q", message)
	}
}

// A drawing of hostile text has no element and no attribute that could act.
func TestHostileTextInADrawing(t *testing.T) {
	t.Parallel()
	tool(t, "dot")
	g := engine.Graph{
		Pipeline: hostile, Groups: []engine.GraphGroup{{Name: hostile, Strategy: hostile}},
		Stages:   []engine.GraphStage{{Name: hostile, Kind: engine.Kind(hostile), Group: hostile}, {Name: "<b>b</b>"}},
		Channels: []engine.GraphChannel{{Stream: hostile, Writer: hostile, Reader: "<b>b</b>", Type: hostile}},
	}
	now := &Sample{Stages: []StageSample{{Name: hostile, State: hostile, Health: hostile, Breaker: hostile}}, Channels: []ChannelSample{{Stream: hostile, Reader: "<b>b</b>"}}}
	var svg bytes.Buffer
	if err := WriteSVG(t.Context(), &svg, g, now); err != nil {
		t.Fatal(err)
	}
	nodes := 0
	for d := xml.NewDecoder(&svg); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("no XML: %v", err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "svg", "g", "title", "path", "polygon", "polyline", "ellipse", "text", "a":
		default:
			t.Errorf("there is a <%s>", e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") || a.Name.Local == "href" || a.Name.Local == "style" {
				t.Errorf("<%s> has %s=%q", e.Name.Local, a.Name.Local, a.Value)
			}
			if a.Name.Local == "class" && strings.HasPrefix(a.Value, "node") {
				nodes++
			}
		}
	}
	if nodes != 2 {
		t.Errorf("%d stages are drawn of 2", nodes)
	}
}

// The page makes no markup of text, has nothing inline, and loads nothing from elsewhere.
func TestThePageIsStrict(t *testing.T) {
	t.Parallel()
	for file, forbidden := range map[string]string{
		"web/index.html": `(?i)<script(>| [^>]*>[^<])|<style|\sstyle\s*=|\son[a-z]+\s*=|(src|href)="(https?:)?//|javascript:`,
		"web/app/*.js":   `innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\("(style|on)|setTimeout\("|(https?:)?//[a-z]+\.[a-z]+/`,
		"web/style.css":  `@import|url\((?:["']?)(https?:)?//`,
	} {
		names, err := fs.Glob(web, file)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", file, err)
		}
		for _, name := range names {
			data, err := web.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if found := regexp.MustCompile(forbidden).FindAll(data, 3); found != nil {
				t.Errorf("%s has %q", name, found)
			}
		}
	}
}

// Every error that the API answers with is without credentials.
func TestErrorsHaveNoCredentials(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	writeError(w, fmt.Errorf("read the dead letters: %w", errors.New("connect to "+login)))
	if text := w.Body.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "broker.example") {
		t.Error(text)
	}
}
