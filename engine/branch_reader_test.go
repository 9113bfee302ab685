package engine_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"penstock/engine"
)

// A stream and its branches are one JetStream stream: a stage that reads several of them has a consumer for each, and they
// leave each other alone.
func TestStageReadsAStreamAndItsBranch(t *testing.T) {
	t.Parallel()
	const n = 3000
	p := engine.New("confluence")
	numbers := engine.Source(p, "numbers", count(n, 3)).WithCapacity(engine.Capacity{Messages: 60})
	odd := engine.Branch[uint64](p, "odd")
	even := engine.Stage(p.With(engine.Branches(odd)), "split", engine.On(numbers,
		func(ctx context.Context, _ *struct{}, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if m.Value%2 == 1 {
				odd.Emit(ctx, m.Value)
				return nil
			}
			emit(m.Value)
			return nil
		})).WithCapacity(engine.Capacity{Messages: 60})
	sum := func(_ context.Context, total *uint64, m engine.Message[uint64], _ engine.Emit[engine.None]) error {
		*total += m.Value
		return nil
	}
	engine.Stage(p, "join", engine.On(even, sum), engine.On(&odd.Stream, sum))

	dir, log := t.TempDir(), &lockedBuffer{}
	config := testConfig(t, dir)
	config.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if err := runBounded(t, p, config); err != nil {
		t.Fatal(err)
	}
	if got := committedState[uint64](t, dir, "join")[""]; got != n*(n-1)/2 {
		t.Errorf("sum %d, want %d", got, n*(n-1)/2)
	}
	if strings.Contains(log.String(), "recreated") {
		t.Errorf("the consumers take each other's place: %s", log.String())
	}
}

// lockedBuffer is written to by several goroutines.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
