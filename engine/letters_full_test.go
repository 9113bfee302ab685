package engine_test

import (
	"context"
	"errors"
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
	"penstock/engine/observe"
	"penstock/engine/supervise"
	"penstock/internal/testing/patient"
)

var errPoison = errors.New("poison")

// poisoned has a stage that fails at every message which poison says, and a
// sink beside it that reads the same.
func poisoned(n uint64, end <-chan struct{}, poison func(uint64) bool, options ...engine.Option) *engine.Pipeline {
	p := engine.New("full")
	numbers := engine.Source(p, "numbers", countUntil(n, end)).WithCapacity(engine.Capacity{Messages: 10})
	engine.Sink(p.With(append([]engine.Option{fast, engine.Attempts(1)}, options...)...), "worker", numbers,
		func(_ context.Context, done *uint64, m engine.Message[uint64]) error {
			if poison(m.Value) {
				return errPoison
			}
			*done++
			return nil
		})
	engine.Sink(p, "beside", numbers, ignore[struct{}, uint64])
	return p
}

func every(n uint64) func(uint64) bool { return func(v uint64) bool { return v%n == 0 } }

// closed is an end that has come.
func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// logged is what a run logs, to be waited for.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(data)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func offsets(letters []dlq.Letter) (list []uint64) {
	for _, l := range letters {
		list = append(list, l.Offset)
	}
	slices.Sort(list)
	return list
}

// A queue that is full stops its stage with an alarm. It goes on by itself when
// there is room, and every letter is kept at last.
func TestFullLettersStopTheStage(t *testing.T) {
	t.Parallel()
	discard := func(t *testing.T, queue *dlq.Queue, _ jetstream.JetStream) {
		err := queue.Each(t.Context(), func(l dlq.Letter) error { return queue.Discard(t.Context(), l) })
		if err != nil {
			t.Error(err)
		}
	}
	raise := func(change func(*jetstream.StreamConfig)) func(*testing.T, *dlq.Queue, jetstream.JetStream) {
		return func(t *testing.T, _ *dlq.Queue, js jetstream.JetStream) {
			stream, err := js.Stream(t.Context(), dlq.StreamName("full"))
			if err != nil {
				t.Fatal(err)
			}
			config := stream.CachedInfo().Config
			change(&config)
			if _, err := js.UpdateStream(t.Context(), config); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		limit func(*engine.Config)
		room  func(*testing.T, *dlq.Queue, jetstream.JetStream)
		kept  int // in the end
	}{
		"count, discarded": {func(c *engine.Config) { c.DeadLetterCount = 2 }, discard, 1},
		"count, raised": {func(c *engine.Config) { c.DeadLetterCount = 2 },
			raise(func(s *jetstream.StreamConfig) { s.MaxMsgs = 10 }), 3},
		"bytes, raised": {func(c *engine.Config) { c.DeadLetterBytes = 2000 },
			raise(func(s *jetstream.StreamConfig) { s.MaxBytes = 1 << 20 }), 3},
		"count, aged": {func(c *engine.Config) { c.DeadLetterCount, c.DeadLetterAge = 2, time.Hour },
			raise(func(s *jetstream.StreamConfig) {
				if s.MaxAge != time.Hour {
					t.Errorf("letters are kept for %v", s.MaxAge)
				}
				s.MaxAge, s.Duplicates = time.Second, time.Second // not from the start on: they are to be there until the alarm
			}), -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, js := external(t)
			end := make(chan struct{})
			p := poisoned(30, end, every(10))
			log := &logged{}
			config := testConfig(t, t.TempDir())
			config.NATS.URL, config.Logger = s.ClientURL(), log.logger()
			c.limit(&config)
			b := runBeside(t, p, config)
			patient.Within(t, "the alarm", func() bool { return b.told("worker", observe.LettersFull) == 1 })
			b.until("beside", "goes on as far as the channel takes it", func(s observe.StageStatus) bool { return s.In > 20 })
			if s := stageStatus(t, p.Status(), "worker"); s.In > 20 || s.DeadLetters > 2 || s.Starts > 4 {
				t.Errorf("while the queue is full: %+v", s)
			}
			queue, err := p.DeadLetters()
			if err != nil {
				t.Fatal(err)
			}
			c.room(t, queue, js)
			b.until("worker", "goes on", func(s observe.StageStatus) bool { return s.In == 30 })
			letters := []dlq.Letter{}
			if err := queue.Each(t.Context(), func(l dlq.Letter) error { letters = append(letters, l); return nil }); err != nil {
				t.Fatal(err)
			}
			if c.kept >= 0 && len(letters) != c.kept {
				t.Errorf("letters %v", offsets(letters))
			}
			close(end)
			if s := stageStatus(t, b.complete(), "worker"); s.DeadLetters != 3 || s.DeadLettersBy["error"] != 3 || s.Errors != 3 {
				t.Errorf("%+v", s)
			}
			for _, text := range []string{
				`level=ERROR msg="the stage waits: a dead letter cannot be stored"`, "id=worker.0:numbers.0:", "the dead letters are full",
				"DeadLetterBytes", "maximum ", "stage=worker", "have space again",
			} {
				if !strings.Contains(log.String(), text) {
					t.Errorf("the log does not say %q:\n%s", text, log)
				}
			}
		})
	}
}

// However many letters wait for room, the alarm is given once.
func TestManyLettersThatWaitGiveOneAlarm(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	p := poisoned(300, end, every(1), engine.AttemptDelay(supervise.Immediate()))
	config := testConfig(t, t.TempDir())
	config.DeadLetterCount = 50
	b := runBeside(t, p, config)
	patient.Within(t, "the alarm", func() bool { return b.told("worker", observe.LettersFull) == 1 })
	queue, err := p.DeadLetters()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]bool{}
	patient.Within(t, "all letters", func() bool {
		err := queue.Each(t.Context(), func(l dlq.Letter) error {
			seen[l.Offset] = true
			return queue.Discard(t.Context(), l)
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(seen) == 300
	})
	close(end)
	if s := stageStatus(t, b.complete(), "worker"); s.DeadLetters != 300 || s.DeadLettersBy["error"] != 300 {
		t.Errorf("%+v", s)
	}
	if alarms := b.told("worker", observe.LettersFull); alarms > 20 {
		t.Errorf("%d alarms", alarms)
	}
}

// A drain does not wait for room. The next run writes the letter, and tries no
// message again.
func TestDrainWhileLettersAreFull(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]engine.Option{
		"restarting": nil,
		"going on":   {engine.AttemptDelay(supervise.Immediate())},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 100
			dir := t.TempDir()
			var mu sync.Mutex
			tries := map[uint64]int{}
			poison := func(v uint64) bool {
				if v%10 != 0 {
					return false
				}
				mu.Lock()
				defer mu.Unlock()
				tries[v]++
				return true
			}
			config := testConfig(t, dir)
			config.DeadLetterCount, config.DrainTimeout = 2, time.Hour
			p := poisoned(n, closed(), poison, options...)
			b := runBeside(t, p, config)
			patient.Within(t, "the alarm", func() bool { return b.told("worker", observe.LettersFull) == 1 })
			b.stop()
			if err := b.end(); err != nil {
				t.Fatal(err)
			}
			if status := p.Status(); status.Completed || stageStatus(t, status, "worker").DeadLetters != 2 {
				t.Errorf("%+v", status)
			}
			config.DeadLetterCount = 20
			b = runBeside(t, poisoned(n, closed(), poison, options...), config)
			s := stageStatus(t, b.complete(), "worker")
			if s.DeadLetters != 10 || s.DeadLettersBy["error"] != 10 || s.In != n || s.Errors != 10 {
				t.Errorf("%+v", s)
			}
			letters := lettersIn(t, dir, "full")
			if got := fmt.Sprint(offsets(letters)); got != "[0 10 20 30 40 50 60 70 80 90]" {
				t.Errorf("letters %s", got)
			}
			for v, n := range tries {
				if n != 1 {
					t.Errorf("%d was tried %d times", v, n)
				}
			}
			if done := committedState[uint64](t, dir, "worker")[""]; done != n-10 {
				t.Errorf("%d messages took effect", done)
			}
		})
	}
}

// A stage that waits for room can be restarted, and waits on.
func TestRestartWhileLettersAreFull(t *testing.T) {
	t.Parallel()
	config := testConfig(t, t.TempDir())
	config.DeadLetterCount = 1
	end := make(chan struct{})
	p := poisoned(30, end, every(10))
	b := runBeside(t, p, config)
	patient.Within(t, "the alarm", func() bool { return b.told("worker", observe.LettersFull) == 1 })
	starts := stageStatus(t, p.Status(), "worker").Starts
	if err := p.RestartStage(t.Context(), "worker"); err != nil {
		t.Fatal(err)
	}
	b.until("worker", "starts again", func(s observe.StageStatus) bool { return s.Starts > starts })
	queue, err := p.DeadLetters()
	if err != nil {
		t.Fatal(err)
	}
	var seen []dlq.Letter
	patient.Within(t, "all letters", func() bool {
		err := queue.Each(t.Context(), func(l dlq.Letter) error {
			seen = append(seen, l)
			return queue.Discard(t.Context(), l)
		})
		if err != nil {
			t.Fatal(err)
		}
		return len(seen) == 3
	})
	close(end)
	if s := stageStatus(t, b.complete(), "worker"); s.DeadLetters != 3 || s.Errors != 3 || fmt.Sprint(offsets(seen)) != "[0 10 20]" {
		t.Errorf("letters %v, %+v", offsets(seen), s)
	}
}

// Dead letters that the disk has no room for are refused with one remedy.
func TestLettersThatNoDiskHasRoomFor(t *testing.T) {
	t.Parallel()
	config := testConfig(t, t.TempDir())
	config.DeadLetterBytes = 1 << 60
	p := engine.New("letters")
	numbers := engine.Source(p, "numbers", count(1, 1))
	engine.Sink(p, "sink", numbers, func(context.Context, *struct{}, engine.Message[uint64]) error { return nil })
	err := runBounded(t, p, config)
	if err == nil || !strings.Contains(err.Error(), "not enough storage for MaxBytes 1152921504606846976") || !strings.Contains(err.Error(), "Config.DeadLetterBytes") {
		t.Fatalf("error %v", err)
	}
	if n := strings.Count(err.Error(), "free disk space"); n != 1 {
		t.Errorf("%d remedies: %v", n, err)
	}
}
