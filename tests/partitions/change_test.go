package partitions

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/engine/enginetest"
	"penstock/engine/inspect"
	"penstock/internal/testing/natsserver"
	"penstock/internal/testing/patient"
)

// widths are the partitions of mark, tally and sink.
type widths struct{ mark, tally, sink int }

func (s shop) in(w widths) shop {
	s.mark, s.tally, s.sink = w.mark, w.tally, w.sink
	return s
}

// Whatever the numbers were in between, each key has counted each of its orders once, in order.
func TestTheNumberOfPartitionsChanges(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]widths{
		"one stage":        {{1, 1, 1}, {1, 4, 1}, {1, 3, 1}},
		"and back":         {{1, 1, 1}, {1, 4, 1}, {1, 1, 1}, {1, 2, 1}},
		"what reads it":    {{1, 2, 1}, {1, 2, 3}, {1, 2, 1}},
		"several at once":  {{1, 1, 1}, {2, 4, 3}, {3, 3, 1}, {1, 1, 2}},
		"without a state":  {{1, 1, 1}, {3, 1, 1}, {2, 1, 1}},
		"each another way": {{4, 1, 2}, {1, 4, 3}, {2, 2, 1}},
	} {
		for how, drain := range map[string]time.Duration{"stopped in order": time.Minute, "stopped with messages under way": time.Nanosecond} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				config := patient.Config(t.TempDir())
				config.DrainTimeout = drain
				switch name {
				case "several at once":
					config.FrameKeys = [][]byte{[]byte("a key of more than 16 bytes")}
				case "each another way":
					config.Sync = time.Hour
				}
				s := shop{orders: 8000, keys: 61, poison: true}
				for _, w := range steps {
					s.stopAt = 700
					p := s.in(w).mustRun(t, config)
					for stage, n := range map[string]int{"mark": w.mark, "tally": w.tally, "sink": w.sink} {
						if has := enginetest.Stage(t, p.Status(), stage); max(len(has.Partitions), 1) != n {
							t.Fatalf("%s has run in %d partitions, want %d", stage, len(has.Partitions), n)
						}
					}
				}
				s.stopAt = 0
				s.in(steps[len(steps)-1]).mustComplete(t, config)
				s.check(t, config)
				sound(t, config)
			})
		}
	}
}

// sound says that the doctor finds nothing wrong.
func sound(t *testing.T, config engine.Config) {
	t.Helper()
	e, err := doctor.Examine(t.Context(), config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	if !e.Sound {
		t.Errorf("the doctor finds %+v", e.Findings)
	}
}

// Letters bear the name of the instance that gave up. When that one is no more they are replayed where the key is now.
func TestLettersOfBeforeAreReplayedAfter(t *testing.T) {
	t.Parallel()
	config := patient.Config(t.TempDir())
	told := &ids{of: map[string]uint64{}}
	s := shop{orders: 4000, keys: 61, poison: true, told: told.add}
	for k, tally := range []int{1, 4, 3} {
		s.stopAt, s.tally = 700, tally
		s.mustRun(t, config)
		if k == 1 {
			if n := replayAll(t, config); n == 0 {
				t.Fatal("no dead letters to replay")
			}
			s.fixed = true // the start with 3 handles these
		} else {
			s.fixed = false
		}
	}
	s.stopAt, s.fixed = 0, false
	s.mustComplete(t, config)
	if n := replayAll(t, config); n == 0 {
		t.Fatal("no dead letters to replay")
	}
	s.fixed = true
	s.mustComplete(t, config)
	s.check(t, config)
	if n := replayAll(t, config); n != 0 {
		t.Errorf("%d dead letters are left", n)
	}
	if len(told.of) != int(2*s.orders) {
		t.Errorf("%d ids and places of %d orders", len(told.of), s.orders)
	}
	for id, n := range told.of {
		if n != 1 {
			t.Fatalf("%s came %d times", id, n)
		}
	}
}

// ids are what messages are called, which names no two of them.
type ids struct {
	mu sync.Mutex
	of map[string]uint64
}

func (i *ids) add(c counted) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.of["id "+c.ID]++
	i.of["place "+c.Place]++
}

// replayAll asks for a replay of all dead letters of a pipeline that has stopped.
func replayAll(t *testing.T, config engine.Config) (n int) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := inspector.Close(); err != nil {
			t.Error(err)
		}
	}()
	letters, found, err := inspector.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return 0
	}
	err = letters.SelectInOrder(t.Context(), dlq.Filter{}, func(l dlq.Letter) error {
		n++
		if l.Error != errPoison.Error() {
			t.Errorf("%s: %s", l.ID(), l.Error)
		}
		return letters.Replay(t.Context(), l, dlq.ReplayOptions{})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A directory without the states, or with those of before, does not go on where a change was made.
func TestTheChannelsTellOfAChange(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t, func(o *server.Options) { o.SyncAlways = true })
	config := patient.Config(t.TempDir())
	config.NATS.URL = s.ClientURL()
	work := shop{orders: 4000, keys: 61, stopAt: 700, tally: 1}
	work.mustRun(t, config)
	before := config
	before.Dir = t.TempDir() + "/before"
	if err := os.CopyFS(before.Dir, os.DirFS(config.Dir)); err != nil {
		t.Fatal(err)
	}
	work.tally = 4
	work.mustRun(t, config)

	if _, err := work.run(t, before); !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), "the number of partitions was changed later") {
		t.Errorf("a copy of the directory of before: %v", err)
	}
	lost := config
	lost.Dir = t.TempDir()
	if _, err := work.run(t, lost); !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), "the state of stage tally is in") {
		t.Errorf("a new directory: %v", err)
	}
	work.stopAt, work.tally = 0, 3
	work.mustComplete(t, config)
	work.check(t, config)
	sound(t, config)
}

// A stage that has ended has nothing to divide: it keeps its partitions until the next run, which has the new number.
func TestAStageThatHasEndedKeepsItsPartitions(t *testing.T) {
	t.Parallel()
	config := patient.Config(t.TempDir())
	s := shop{orders: 500, keys: 7, tally: 2, poison: true}
	s.mustComplete(t, config)
	if n := replayAll(t, config); n == 0 {
		t.Fatal("no dead letters to replay")
	}
	s.fixed, s.tally = true, 3
	s.mustComplete(t, config) // it goes on for the letters
	s.check(t, config)
	s.mustComplete(t, config)
	s.check(t, config)
}
