package patient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"penstock/engine"
)

const (
	Values = 1200
	keys   = 7
)

// total is the state of the sink: what it has seen.
type total struct{ Count, Sum uint64 }

// Examined sums values by key, rejects some, and totals the rest. The source stops
// at a value until it may go on.
func Examined(stopAt uint64, goOn <-chan struct{}) *engine.Pipeline {
	p := engine.New("examined")
	values := engine.Source(p, "values", func(ctx context.Context, at *place, emit engine.Emit[uint64]) error {
		if at.Next >= stopAt {
			select {
			case <-goOn:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		for range 10 {
			if at.Next == Values {
				return io.EOF
			}
			emit(at.Next)
			at.Next++
		}
		return nil
	})
	keyed := engine.KeyBy(values, func(v uint64) string { return strconv.FormatUint(v%keys, 10) })
	sums := engine.Stage(p.With(fast), "sums", engine.On(keyed,
		func(_ context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if IsPoison(m.Value) {
				return engine.Reject(errPoison)
			}
			*sum += m.Value
			emit(m.Value)
			return nil
		}))
	engine.Sink(p.With(fast), "total", sums, func(_ context.Context, t *total, m engine.Message[uint64]) error {
		t.Count, t.Sum = t.Count+1, t.Sum+m.Value
		return nil
	})
	return p
}

// IsPoison says whether a value is rejected.
func IsPoison(v uint64) bool { return v%101 == 7 }

// Check compares the states with what must come out.
func Check(t *testing.T, dir string) error {
	t.Helper()
	sums, want := map[string]uint64{}, total{}
	for v := range uint64(Values) {
		if !IsPoison(v) {
			sums[strconv.FormatUint(v%keys, 10)] += v
			want.Count, want.Sum = want.Count+1, want.Sum+v
		}
	}
	got := committed[uint64](t, dir, "sums")
	for key, sum := range sums {
		if got[key] != sum || len(got) != len(sums) {
			return fmt.Errorf("sums %v, want %v", got, sums)
		}
	}
	if got := committed[total](t, dir, "total")[""]; got != want {
		return fmt.Errorf("total %+v, want %+v", got, want)
	}
	return nil
}

// Image is a data directory in the middle of a run: as an orderly stop leaves it,
// or as a death does.
type Image struct {
	Name string
	Dir  string
}

// Images are four of them.
func Images(t *testing.T) []Image {
	t.Helper()
	var list []Image
	for name, interval := range map[string]time.Duration{"trimmed": 5 * time.Millisecond, "whole": time.Hour} {
		dir, died := t.TempDir(), filepath.Join(t.TempDir(), "died")
		p := Examined(Values/2, nil)
		config := Config(dir)
		config.CheckpointInterval = interval
		ctx, cancel := Bounded(t)
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx, config) }()
		Within(t, "half of it", func() bool {
			sums, total := stage(p, "sums"), stage(p, "total")
			return sums.In == Values/2 && total.In == sums.Out
		})
		if interval < time.Second {
			Within(t, "checkpoints", trimmed(p, interval))
		}
		if err := CopyLive(died, dir); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		list = append(list, Image{name + ", stopped", dir}, Image{name + ", died", died})
	}
	return list
}

// GoOn runs an image to its end. A nil error means that the result is there, to be
// compared.
func GoOn(t *testing.T, dir string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	p := Examined(0, closed())
	err := p.Run(ctx, Config(dir))
	if err == nil && !p.Status().Completed {
		err = errors.New("it does not come to its end")
	}
	return err
}
