package enginetest_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/engine/enginetest"
)

// A replay with another value goes to the partition that has its key.
func TestAReplayWithAnotherKeyIsTakenByItsPartition(t *testing.T) {
	t.Parallel()
	memory := enginetest.NewMemory()
	words := []string{"bad a", "bad b", "bad c", "bad d", "bad e", "a", "b", "c", "d", "e"}
	lengths := func() *engine.Pipeline {
		p := engine.New("test")
		in := enginetest.Values(p, "in", words...)
		engine.Sink(p.With(engine.Partitions(3)), "length", engine.KeyBy(in, func(word string) string { return word }),
			func(_ context.Context, n *int, m engine.Message[string]) error {
				if strings.HasPrefix(m.Value, "bad") {
					return engine.Reject(errors.New("on purpose"))
				}
				*n++
				return nil
			})
		return p
	}
	enginetest.Run(t, lengths(), memory.In)
	want := map[string]int{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}
	for _, l := range memory.DeadLetters() {
		value := strings.TrimPrefix(string(l.Value), "bad ")
		if err := memory.Replay(l.ID(), []byte(value)); err != nil {
			t.Fatal(err)
		}
		want[value]++
	}
	for range 3 { // a partition that has ended takes what is passed on to it in the next run
		enginetest.Run(t, lengths(), memory.In)
		if len(memory.DeadLetters()) == 0 {
			break
		}
	}
	if got := enginetest.StateIn[int](t, memory, "length"); !maps.Equal(got, want) {
		t.Errorf("%v, want %v, letters %+v", got, want, memory.DeadLetters())
	}
}

// A run in memory has nothing that could move the states.
func TestAnotherNumberOfPartitionsIsRefusedInMemory(t *testing.T) {
	t.Parallel()
	memory := enginetest.NewMemory()
	run := func(partitions int) error {
		p := engine.New("test")
		in := engine.Source(p, "in", func(ctx context.Context, sent *bool, emit engine.Emit[string]) error {
			if *sent {
				<-ctx.Done()
				return ctx.Err()
			}
			*sent = true
			emit("a")
			return nil
		})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		engine.Sink(p.With(engine.Partitions(partitions)), "seen", engine.KeyBy(in, func(word string) string { return word }),
			func(context.Context, *int, engine.Message[string]) error {
				stop()
				return nil
			})
		config := engine.Config{}
		memory.In(&config)
		return p.Run(ctx, config)
	}
	if err := run(2); err != nil {
		t.Fatal(err)
	}
	err := run(3)
	if !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), "stage seen has run in 2 partitions and is declared with 3") {
		t.Errorf("error %v", err)
	}
}
