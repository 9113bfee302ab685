package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/engine/remedy"
)

// thirty is a pipeline that completes.
func thirty() *engine.Pipeline {
	p := engine.New("thirty")
	interruptible(p, 30, func(context.Context, *struct{}, engine.Message[string]) error { return nil })
	return p
}

// A directory that is pointed at the wrong server must not delete the complete run that another one has made there.
func TestACompleteRunOfAnotherDirectoryIsNotDeleted(t *testing.T) {
	t.Parallel()
	first, _ := external(t)
	second, _ := external(t)
	complete := func(dir, url string) engine.Config {
		config := testConfig(t, dir)
		config.NATS.URL = url
		if err := runBounded(t, thirty(), config); err != nil {
			t.Fatal(err)
		}
		return config
	}
	ours := complete(t.TempDir(), first.ClientURL())
	others := complete(t.TempDir(), second.ClientURL())
	wrong := ours
	wrong.NATS.URL = second.ClientURL()
	err := runBounded(t, thirty(), wrong)
	if !errors.Is(err, engine.ErrElsewhere) || !strings.Contains(err.Error(), "belongs to another data directory") {
		t.Errorf("on the other server: %v", err)
	}
	for _, config := range []engine.Config{ours, others} { // both are as they were, and start anew where they belong
		e, err := doctor.Examine(t.Context(), config.ToInspect())
		if err != nil || !e.Sound {
			t.Errorf("%s: %+v, %v", config.NATS.URL, e, err)
		}
		if err := runBounded(t, thirty(), config); err != nil {
			t.Errorf("%s: %v", config.NATS.URL, err)
		}
	}
}

// The address says nothing: a directory of before meets what a new one has made on the same server.
func TestACompleteRunIsNotDeletedByADirectoryOfBefore(t *testing.T) {
	t.Parallel()
	server, _ := external(t)
	run := func(dir string, change func(*engine.Config)) error {
		config := testConfig(t, dir)
		config.NATS.URL = server.ClientURL()
		change(&config)
		return runBounded(t, thirty(), config)
	}
	before, now := t.TempDir(), t.TempDir()
	if err := errors.Join(
		run(before, func(*engine.Config) {}),
		run(now, func(c *engine.Config) { c.Fresh = true }),
	); err != nil {
		t.Fatal(err)
	}
	err := run(before, func(*engine.Config) {})
	if !errors.Is(err, engine.ErrElsewhere) || !strings.Contains(err.Error(), before) || !strings.Contains(err.Error(), "belongs to another data directory ("+now+" on host ") || slices.Contains(remedy.Of(err), remedy.Fresh) {
		t.Errorf("the directory of before: %v", err)
	}
	if err := errors.Join(run(now, func(*engine.Config) {}), run(before, func(c *engine.Config) { c.Fresh = true })); err != nil {
		t.Error(err)
	}
}

// A new directory does not delete the complete run of another one without being told to, whatever it allows of letters.
// A run that does not tell its place, of an earlier build, is deleted as ever.
func TestACompleteRunIsNotDeletedByANewDirectory(t *testing.T) {
	t.Parallel()
	server, js := external(t)
	owner := testConfig(t, t.TempDir())
	owner.NATS.URL = server.ClientURL()
	if err := runBounded(t, thirty(), owner); err != nil {
		t.Fatal(err)
	}
	streams := streamsOn(t, js)
	from := func(change func(*engine.Config)) error {
		config := testConfig(t, t.TempDir())
		config.NATS.URL = server.ClientURL()
		change(&config)
		return runBounded(t, thirty(), config)
	}
	for range 2 {
		err := from(func(c *engine.Config) { c.DiscardLetters = true })
		if !errors.Is(err, engine.ErrOthersRun) || !strings.Contains(err.Error(), owner.Dir+" on host ") {
			t.Errorf("a new directory: %v", err)
		}
		if got, want := remedy.Of(err), []remedy.Remedy{remedy.Dir.For(owner.Dir), remedy.NATS, remedy.Fresh}; !slices.Equal(got, want) {
			t.Errorf("it advises %v, want %v", got, want)
		}
	}
	if got := streamsOn(t, js); !slices.Equal(got, streams) {
		t.Errorf("the server has %v, and had %v", got, streams)
	}
	if err := errors.Join(runBounded(t, thirty(), owner), from(func(c *engine.Config) { c.Fresh = true })); err != nil {
		t.Error(err)
	}
	list := js.ListStreams(t.Context())
	for info := range list.Info() {
		delete(info.Config.Metadata, "penstock.owner")
		if _, err := js.UpdateStream(t.Context(), info.Config); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(list.Err(), from(func(*engine.Config) {})); err != nil {
		t.Errorf("after an earlier build: %v", err)
	}
}

// A directory that another one took the run over from has its identity, and does not delete what that one has made.
func TestACompleteRunIsNotDeletedByTheDirectoryThatItWasTakenFrom(t *testing.T) {
	t.Parallel()
	server, _ := external(t)
	never, ended := make(chan struct{}), make(chan struct{})
	close(ended)
	run := func(dir string, n uint64, end <-chan struct{}) error {
		ctx, stop := bounded(t)
		defer stop()
		p := engine.New("taken")
		engine.Sink(p, "sink", engine.Source(p, "numbers", countUntil(n, end)), func(_ context.Context, _ *struct{}, m engine.Message[uint64]) error {
			if end == never && m.Value == n-1 {
				stop()
			}
			return nil
		})
		config := testConfig(t, dir)
		config.NATS.URL = server.ClientURL()
		return p.Run(ctx, config)
	}
	before, now := t.TempDir(), t.TempDir()
	if err := errors.Join(run(before, 100, never), run(now, 200, ended)); err != nil {
		t.Fatal(err)
	}
	if err := run(before, 200, ended); !errors.Is(err, engine.ErrOthersRun) || !strings.Contains(err.Error(), now+" on host ") {
		t.Errorf("the directory of before: %v", err)
	}
	if err := run(now, 200, ended); err != nil {
		t.Error(err)
	}
}
