package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/engine/observe"
	"penstock/telemetry/record"
)

var errTest = errors.New("on purpose")

// served is a pipeline that runs, and its server.
type served struct {
	t        *testing.T
	pipeline *engine.Pipeline
	server   *Server
	fail     chan error // what the worker's next call fails with
}

// serve runs numbers -> worker -> sink until the test ends.
func serve(t *testing.T, c Config) *served {
	t.Helper()
	p, fail := engine.New("served"), make(chan error, 1)
	numbers := engine.Source(p, "numbers", func(ctx context.Context, next *uint64, emit engine.Emit[uint64]) error {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		*next++
		emit(*next)
		return nil
	})
	words := engine.Stage(p, "worker", engine.On(numbers, func(_ context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[string]) error {
		select {
		case err := <-fail:
			return err
		default:
		}
		*sum += m.Value
		emit("word")
		return nil
	}))
	engine.Sink(p, "sink", words, func(context.Context, *struct{}, engine.Message[string]) error { return nil })
	s := servePipeline(t, p, c)
	s.fail = fail
	return s
}

// servePipeline runs a pipeline until the test ends.
func servePipeline(t *testing.T, p *engine.Pipeline, c Config) *served {
	t.Helper()
	return serveOn(t, p, c, engine.NATS{})
}

// serveOn is servePipeline for a pipeline that uses another server than its own.
func serveOn(t *testing.T, p *engine.Pipeline, c Config, nats engine.NATS) *served {
	t.Helper()
	s := &served{t: t, pipeline: p}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Address == "" {
		c.Address = "127.0.0.1:0"
	}
	server, err := New(s.pipeline, c)
	if err != nil {
		t.Fatal(err)
	}
	s.server = server
	dir := t.TempDir() // before the cleanup: it must go after it
	ctx, stop := context.WithCancel(context.Background())
	ran, wasServed, ready := make(chan error, 1), make(chan error, 1), make(chan struct{})
	go func() {
		ran <- s.pipeline.Run(ctx, engine.Config{Dir: dir, NATS: nats, Logger: c.Logger, OnReady: func() error { close(ready); return nil }})
	}()
	go func() { wasServed <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ran, <-wasServed); err != nil {
			t.Error(err)
		}
	})
	<-ready
	return s
}

// ask sends a request as somebody outside does.
func (s *served) ask(method, path string, change func(*http.Request)) (int, http.Header, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.server.Addr()+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.Header.Get("Content-Type") == "text/event-stream" { // which has no end
		return answer.StatusCode, answer.Header, ""
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

// stage is the status of a stage.
func (s *served) stage(name string) observe.StageStatus {
	s.t.Helper()
	return enginetest.Stage(s.t, s.pipeline.Status(), name)
}

// sampleOf is what the page shows of a stage; nothing before the first sample.
func (s *served) sampleOf(name string) record.StageSample {
	s.t.Helper()
	var now record.Sample
	_, _, body := s.ask("GET", "/api/v1/sample", nil)
	if err := json.Unmarshal([]byte(body), &now); err != nil {
		s.t.Fatal(err)
	}
	for _, stage := range now.Stages {
		if stage.Name == name {
			return stage
		}
	}
	return record.StageSample{}
}

func (s *served) until(what string, is func() bool) {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("not within a minute: %s", what)
		}
	}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, test := range map[string]struct {
		config Config
		want   error
	}{
		"taken":            {Config{Address: taken.Addr().String()}, ErrAddress},
		"no port":          {Config{Address: "127.0.0.1"}, ErrAddress},
		"all, no token":    {Config{Address: "0.0.0.0:0"}, ErrTokenNeeded},
		"empty, no token":  {Config{Address: ":0"}, ErrTokenNeeded},
		"a name, no token": {Config{Address: "example.com:0"}, ErrTokenNeeded},
		"all, a token":     {Config{Address: "0.0.0.0:0", Token: "t"}, nil},
		"loopback":         {Config{Address: "127.0.0.1:0"}, nil},
		"IPv6 loopback":    {Config{Address: "[::1]:0"}, nil},
	} {
		s, err := New(engine.New("p"), test.config)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}

// The default address is the next free one when it is taken.
func TestTheNextFreePort(t *testing.T) {
	a, err := New(engine.New("a"), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := New(engine.New("b"), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if a.Addr() == b.Addr() || !strings.HasPrefix(b.Addr(), "127.0.0.1:99") {
		t.Errorf("%s and %s", a.Addr(), b.Addr())
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	ready := func() (r Readiness) {
		code, _, body := s.ask("GET", "/readyz", nil)
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatal(err)
		}
		if (code == 200) != r.Ready || code != 200 && code != 503 {
			t.Errorf("%d: %s", code, body)
		}
		return r
	}
	s.until("ready", func() bool { return ready().Ready })
	if err := s.pipeline.StopStage(t.Context(), "worker"); err != nil {
		t.Fatal(err)
	}
	if r := ready(); r.Ready || len(r.Reasons) != 1 || r.Reasons[0] != "stage worker is stopped" {
		t.Errorf("%+v", r)
	}
	if err := s.pipeline.StartStage(t.Context(), "worker"); err != nil {
		t.Fatal(err)
	}
	s.until("ready again", func() bool { return ready().Ready })
}
