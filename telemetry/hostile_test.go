package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
	"penstock/internal/testing/hostile"
)

// hostilePipeline has a stage that panics, a degraded one, and dead letters, all of which say what is hostile.
func hostilePipeline() *engine.Pipeline {
	p := engine.New("hostile")
	numbers := engine.Source(p, "numbers", func(ctx context.Context, next *uint64, emit engine.Emit[string]) error {
		if *next < 3 {
			*next++
			emit(hostile.Text)
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	})
	check := supervise.Check{Interval: time.Millisecond, Probe: func(context.Context) supervise.Health { return supervise.Degraded(hostile.Text) }}
	engine.Sink(p.With(engine.Attempts(2), engine.HealthChecks(check)), "sink", numbers, func(_ context.Context, seen *[]string, m engine.Message[string]) error {
		if *seen == nil {
			*seen = []string{m.Value}
			return nil
		}
		if m.Offset == 1 {
			return engine.Reject(errors.New(hostile.Text))
		}
		panic(hostile.Text)
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

// Every error that the API answers with is without credentials.
func TestErrorsHaveNoCredentials(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	writeError(w, fmt.Errorf("read the dead letters: %w", errors.New("connect to "+hostile.Login)))
	if text := w.Body.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "broker.example") {
		t.Error(text)
	}
}
