package dlq

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"penstock/internal/testing/natsserver"
)

// watching runs watch and returns what it gave, one by one, and how to end it.
func watching(t *testing.T, watch func(context.Context, Filter, func(Letter) error) error, f Filter) (got <-chan Letter, stop func() error) {
	letters := make(chan Letter, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var err error
	var done sync.WaitGroup
	done.Go(func() { err = watch(ctx, f, func(l Letter) error { letters <- l; return nil }) })
	return letters, func() error { cancel(); done.Wait(); return err }
}

func TestFollowBeginsWithWhatIsThere(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(1), true)
	got, stop := watching(t, q.Follow, Filter{})
	if l := <-got; l.Offset != 1 || string(l.Value) != "33" {
		t.Fatalf("%+v", l)
	}
	mustPut(t, q, letterAt(2), true)
	if l := <-got; l.Offset != 2 {
		t.Fatalf("%+v", l)
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Fatalf("Follow = %v", err)
	}
}

func TestWatchGivesTheNewOnes(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(1), true)
	stop := errors.New("stop")
	var seen []uint64
	started := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		// A letter written after the call and before the first delivery counts too: so write until one is seen.
		<-started
		for offset := uint64(2); ; offset++ {
			if _, err := q.Put(t.Context(), letterAt(offset)); err != nil {
				t.Error(err)
				return
			}
			if offset == 40 {
				return
			}
		}
	})
	info, err := q.stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	close(started)
	err = q.watch(t.Context(), Filter{WithoutValues: true, Reason: ReasonPanic}, info.State.LastSeq+1, func(l Letter) error {
		if seen = append(seen, l.Offset); l.Offset == 40 {
			return stop
		}
		return nil
	})
	done.Wait()
	if err != stop || len(seen) != 39 || seen[0] != 2 || !slices.IsSorted(seen) {
		t.Fatalf("%v, %v", seen, err)
	}
	if err := q.Watch(t.Context(), Filter{Stage: "*"}, nil); !errors.Is(err, ErrInvalid) {
		t.Fatalf("Watch = %v, want ErrInvalid", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Watch(ctx, Filter{}, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("Watch = %v", err)
	}
}

func TestWatchOutlastsARestartAndAFreshStart(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	q := open(t, s.JetStream(), testConfig())
	failed := impatient(q)
	mustPut(t, q, letterAt(1), true)
	mustPut(t, q, letterAt(2), true)
	got, stop := watching(t, q.Follow, Filter{})
	<-got
	<-got
	s.Stop()
	s.Again()
	writer := open(t, s.JetStream(), testConfig())
	mustPut(t, writer, letterAt(3), true)
	if l := <-got; l.Offset != 3 {
		t.Fatalf("%+v", l)
	}
	if err := writer.DeleteAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-failed // it has noticed
	writer = open(t, writer.js, testConfig())
	mustPut(t, writer, letterAt(4), true)
	if l := <-got; l.Offset != 4 {
		t.Fatalf("%+v", l)
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Fatalf("Follow = %v", err)
	}
}
