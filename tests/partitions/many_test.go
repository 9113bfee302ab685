package partitions

import (
	"context"
	"flag"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/testing/patient"
)

var manyKeys = flag.Uint64("keys", 20_000, "keys of TestManyKeys")

// TestManyKeys shows what a change takes.
func TestManyKeys(t *testing.T) {
	config := patient.Config(t.TempDir())
	s := shop{orders: 2 * *manyKeys, keys: *manyKeys}
	for _, tally := range []int{1, 4, 3} {
		s.tally, s.pauseAt, s.stopAt = tally, s.orders/2, s.orders/2
		ctx, stop := context.WithTimeout(t.Context(), 30*time.Minute)
		heard := &changeHeard{stop: stop, began: time.Now()}
		config.Logger = slog.New(heard)
		if err := s.pipeline(stop).Run(ctx, config); err != nil {
			t.Fatal(err)
		}
		stop()
		if took, ready := heard.took.Load(), heard.ready.Load(); tally > 1 {
			if took == 0 || ready == 0 {
				t.Fatalf("in %d partitions: the change was not told", tally)
			}
			t.Logf("%d keys to %d partitions: the states moved in %v, ready after %v", s.keys, tally, time.Duration(took).Round(time.Millisecond), time.Duration(ready).Round(time.Millisecond))
		}
	}
	config.Logger = nil
	s.pauseAt, s.stopAt = 0, 0
	s.mustComplete(t, config)
	s.check(t, config)
}

// changeHeard is a log that stops a run when its stages go on after a change.
type changeHeard struct {
	slog.Handler
	stop        func()
	began       time.Time
	took, ready atomic.Int64
}

func (*changeHeard) Enabled(context.Context, slog.Level) bool { return true }
func (h *changeHeard) WithAttrs([]slog.Attr) slog.Handler     { return h }
func (h *changeHeard) WithGroup(string) slog.Handler          { return h }

func (h *changeHeard) Handle(_ context.Context, r slog.Record) error {
	switch {
	case r.Message == "the number of partitions is changed":
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "took" {
				h.took.Store(int64(a.Value.Duration()))
			}
			return true
		})
	case r.Message == "resuming" && h.took.Load() > 0 && h.ready.CompareAndSwap(0, int64(time.Since(h.began))):
		h.stop()
	}
	return nil
}
