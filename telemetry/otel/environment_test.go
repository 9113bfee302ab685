package otel

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	frames "penstock/engine/trace"
)

func TestNoTraces(t *testing.T) {
	t.Parallel()
	var none *Traces
	if none.Tracer() != nil {
		t.Error("a tracer")
	}
	_, span := none.Provider().Tracer("").Start(t.Context(), "")
	if span.IsRecording() {
		t.Error("a span")
	}
	none.Close()
}

// collector takes what it is sent, unless it is away.
type collector struct {
	*httptest.Server
	away     atomic.Bool
	requests chan struct{}
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{requests: make(chan struct{}, 1000)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if c.away.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		c.requests <- struct{}{}
	}))
	t.Cleanup(c.Close)
	return c
}

// An endpoint that is away costs neither time nor memory, and two lines in the
// log: that it is away, and how many spans were lost.
func TestEndpointThatIsAway(t *testing.T) {
	c := startCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64")
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	var log bytes.Buffer
	traces, err := TracesFromEnvironment("away", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	c.away.Store(true)
	tracer := traces.Tracer()
	for range 10_000 {
		tracer.Begin(frames.Begin{Stage: "numbers"}).End(frames.End{Outcome: frames.Undone, Err: errors.New("one")})
	}
	<-c.requests
	traces.Close()
	text := log.String()
	if strings.Count(text, "\n") != 2 || strings.Count(text, "cannot deliver traces") != 1 || !strings.Contains(text, "lost=10000 sent=0") {
		t.Errorf("the log:\n%s", text)
	}
}

// Of one that comes back the log tells, too.
func TestEndpointThatComesBack(t *testing.T) {
	c := startCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	var log bytes.Buffer
	traces, err := TracesFromEnvironment("back", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	send := func() {
		traces.Tracer().Begin(frames.Begin{Stage: "numbers"}).End(frames.End{})
		<-c.requests
	}
	c.away.Store(true)
	send()
	if err := traces.provider.ForceFlush(t.Context()); err != nil {
		t.Error(err)
	}
	c.away.Store(false)
	send()
	traces.Close()
	mustFollow(t, log.String(), "cannot deliver traces", "delivered again", "lost=1 sent=1")
}

// One that does not answer holds up neither the stages nor the end: it answers
// only after both.
func TestEndpointThatHangs(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(server.Close)
	defer close(release)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", server.URL)
	traces, err := TracesFromEnvironment("hangs", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 { // more than are kept
		traces.Tracer().Begin(frames.Begin{Stage: "numbers"}).End(frames.End{})
	}
	traces.Close()
}

func mustFollow(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Errorf("no %q, or not in this order:\n%s", part, text)
		}
		rest = after
	}
}
