package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
)

// What no restart can mend is the error of Run, and no storm of restarts is told of.
func TestRefusalIsNoRestartStorm(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	end := make(chan struct{})
	p := engine.New("refused")
	engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(3, end)), func(_ context.Context, s *string, _ engine.Message[uint64]) error {
		*s += "x"
		return nil
	})
	b := runBeside(t, p, testConfig(t, dir))
	b.until("sink", "has a state", func(s observe.StageStatus) bool { return s.In == 3 })
	b.stop()
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	p = engine.New("refused")
	engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(3, end)), func(context.Context, *[]time.Time, engine.Message[uint64]) error {
		return nil
	})
	log := &logged{}
	config := testConfig(t, dir)
	config.Logger = log.logger()
	err := runBounded(t, p, config)
	if err == nil || !strings.Contains(err.Error(), "cannot be decoded") {
		t.Fatalf("run: %v", err)
	}
	if text := log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "limit") {
		t.Errorf("log:\n%s", text)
	}
}

func TestLimitIsNamed(t *testing.T) {
	t.Parallel()
	p := engine.New("limited")
	engine.Sink(p.With(fast, engine.RestartLimit(1, time.Hour), engine.Attempts(engine.Unlimited)), "sink",
		engine.Source(p, "numbers", count(3, 3)), func(context.Context, *struct{}, engine.Message[uint64]) error { return errPoison })
	log := &logged{}
	config := testConfig(t, t.TempDir())
	config.Logger = log.logger()
	if err := runBounded(t, p, config); err == nil {
		t.Fatal("it ends well")
	}
	if text := log.String(); !strings.Contains(text, "exceeded its restart limit") || strings.Contains(text, "asked") {
		t.Errorf("log:\n%s", text)
	}
}

// A start that is refused after the stages are open does not say that they resume.
func TestRefusedStartDoesNotSayThatItResumes(t *testing.T) {
	t.Parallel()
	s, js := external(t)
	config := testConfig(t, t.TempDir())
	config.NATS.URL = s.ClientURL()
	end := make(chan struct{})
	wire := func() *engine.Pipeline {
		p := engine.New("again")
		engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(3, end)), ignore[struct{}, uint64])
		return p
	}
	b := runBeside(t, wire(), config)
	b.until("sink", "has taken all", func(s observe.StageStatus) bool { return s.In == 3 })
	b.stop()
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	refused := func(config engine.Config, want string) {
		t.Helper()
		log := &logged{}
		config.Logger = log.logger()
		if err := runBounded(t, wire(), config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want %q", err, want)
		}
		if text := log.String(); strings.Contains(text, "resuming") {
			t.Errorf("log:\n%s", text)
		}
	}
	unready := config
	unready.OnReady = func() error { return errPoison }
	refused(unready, errPoison.Error())
	if err := js.DeleteStream(t.Context(), "again+numbers"); err != nil {
		t.Fatal(err)
	}
	config.Dir = t.TempDir()
	refused(config, "has consumed 3 messages of numbers")
}
