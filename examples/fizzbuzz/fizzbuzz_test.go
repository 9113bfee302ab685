package fizzbuzz_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/examples/fizzbuzz"
	"penstock/internal/testing/leak"
	"penstock/internal/testing/natsserver"
)

func TestMain(m *testing.M) { leak.Main(m) }

// lockedBuffer is written by the goroutines of all stages.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(data)
}

func loggedState(t *testing.T, config engine.Config) (state fizzbuzz.Logged) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer inspector.Close()
	err = inspector.State(t.Context(), "logger", func(_ string, data json.RawMessage) error { return json.Unmarshal(data, &state) })
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func letters(t *testing.T, js jetstream.JetStream) []string {
	t.Helper()
	queue, found, err := dlq.Lookup(t.Context(), js, "fizzbuzz")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	if found {
		err = queue.Each(t.Context(), func(l dlq.Letter) error {
			ids = append(ids, fmt.Sprintf("%s %s %s %q", l.ID(), l.Reason, l.Codec, l.Value))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(ids)
	return ids
}

func TestFizzBuzzWithFaults(t *testing.T) {
	t.Parallel()
	outside := natsserver.Start(t) // still there after a run, to look into
	url, js := outside.ClientURL(), outside.JetStream()
	var log lockedBuffer
	config := engine.Config{Dir: t.TempDir(), NATS: engine.NATS{URL: url}, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	p := fizzbuzz.New(fizzbuzz.Config{Rate: time.Millisecond, Beats: 120})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Run(ctx, config); err != nil {
		t.Fatalf("run: %v", err)
	}

	status := p.Status()
	want := map[string]struct{ in, out, panics, restarts, deadLetters uint64 }{
		"generator": {0, 120, 1, 1, 0},
		"heartbeat": {0, 120, 1, 1, 0},
		"worker":    {240, 119, 3, 3, 1},
		"logger":    {119, 0, 3, 3, 1},
	}
	if !status.Completed || len(status.Stages) != len(want) {
		t.Fatalf("status %+v", status)
	}
	for _, s := range status.Stages {
		w := want[s.Name]
		if s.In != w.in || s.Out != w.out || s.Panics != w.panics || s.Restarts != w.restarts || s.DeadLetters != w.deadLetters || s.Errors != 0 || s.Lag != 0 {
			t.Errorf("%s: %+v, want %+v", s.Name, s, w)
		}
	}
	if state, want := loggedState(t, config), (fizzbuzz.Logged{Logged: 118, Fizz: 31, Buzz: 16, FizzBuzz: 8, Value: 63}); state != want {
		t.Errorf("logged %+v, want %+v", state, want)
	}
	// Number 33 is a letter of the worker, so that word 41 is the logger's message 40.
	if got, want := letters(t, js), []string{
		`logger.0:worker.0:40 panic cbor "\xd9\xd9\xf7\xa2dkindevalueevalue\x18)"`,
		`worker.0:generator.0:33 panic uint64 "!\x00\x00\x00\x00\x00\x00\x00"`,
	}; !slices.Equal(got, want) {
		t.Errorf("dead letters %q, want %q", got, want)
	}
	for _, text := range []string{"msg=starting pipeline=fizzbuzz stage=worker start=2", "msg=ended pipeline=fizzbuzz stage=logger", "msg=FizzBuzz", "number=119"} {
		if !strings.Contains(log.String(), text) {
			t.Errorf("the log does not say %q", text)
		}
	}
}

func TestFizzBuzzWithoutFaults(t *testing.T) {
	t.Parallel()
	config := engine.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
	p := fizzbuzz.New(fizzbuzz.Config{Rate: time.Millisecond, Beats: 45, Faults: fizzbuzz.FaultsOff})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Run(ctx, config); err != nil {
		t.Fatalf("run: %v", err)
	}
	for _, s := range p.Status().Stages {
		if s.Panics != 0 || s.Errors != 0 || s.Restarts != 0 || s.DeadLetters != 0 || !s.Ended {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
	if state, want := loggedState(t, config), (fizzbuzz.Logged{Logged: 45, Fizz: 12, Buzz: 6, FizzBuzz: 3, Value: 24}); state != want {
		t.Errorf("logged %+v, want %+v", state, want)
	}
}

func TestFizzBuzzStoppedInTheMiddleResumes(t *testing.T) {
	t.Parallel()
	config := engine.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
	p := fizzbuzz.New(fizzbuzz.Config{Rate: time.Millisecond, Beats: 120})
	seven := make(chan struct{})
	first, stop := context.WithCancel(t.Context())
	defer stop()
	stopping := config
	stopping.Logger = slog.New(slog.NewTextHandler(stopAt{"number=7\n", seven, new(sync.Once)}, nil))
	go func() {
		<-seven
		stop()
	}()
	if err := p.Run(first, stopping); err != nil || p.Status().Completed {
		t.Fatalf("the first run: %v, %+v", err, p.Status())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Run(ctx, config); err != nil {
		t.Fatalf("the second run: %v", err)
	}
	if state, want := loggedState(t, config), (fizzbuzz.Logged{Logged: 118, Fizz: 31, Buzz: 16, FizzBuzz: 8, Value: 63}); state != want {
		t.Errorf("logged %+v, want %+v", state, want)
	}
}

// stopAt is a log that tells when a text comes up.
type stopAt struct {
	text string
	seen chan struct{}
	once *sync.Once
}

func (s stopAt) Write(data []byte) (int, error) {
	if strings.Contains(string(data), s.text) {
		s.once.Do(func() { close(s.seen) })
	}
	return len(data), nil
}

func TestNewWord(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{0: "FizzBuzz", 1: "1", 3: "Fizz", 5: "Buzz", 33: "Fizz", 41: "41", 90: "FizzBuzz"} {
		if got := fizzbuzz.NewWord(n).String(); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}
