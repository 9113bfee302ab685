package engine_test

import (
	"context"
	"io"
	"testing"

	"penstock/engine"
)

// A stage that reads a branch commits nothing as long as nothing comes on it. The frames of the stream beside it, many times
// what the channel may hold, are trimmed all the same.
func TestQuietBranchDoesNotKeepTheChannelFull(t *testing.T) {
	t.Parallel()
	const size, n = 128 << 10, 200
	p := engine.New("quiet")
	side := engine.Branch[int](p, "side")
	stream := engine.Source(p.With(engine.Branches(side)), "src", func(ctx context.Context, sent *int, emit engine.Emit[[]byte]) error {
		if *sent == n {
			side.Emit(ctx, 1)
			return io.EOF
		}
		*sent++
		emit(make([]byte, size))
		return nil
	}).WithCapacity(engine.Capacity{Bytes: 1 << 20})
	engine.Stage(p, "busy", engine.On(stream, func(_ context.Context, taken *int, _ engine.Message[[]byte], _ engine.Emit[engine.None]) error {
		*taken++
		return nil
	}))
	engine.Stage(p, "quiet", engine.On(&side.Stream, func(_ context.Context, taken *int, _ engine.Message[int], _ engine.Emit[engine.None]) error {
		*taken++
		return nil
	}))
	dir := t.TempDir()
	if err := runBounded(t, p, testConfig(t, dir)); err != nil {
		t.Fatal(err)
	}
	busy, quiet := committedState[int](t, dir, "busy")[""], committedState[int](t, dir, "quiet")[""]
	if busy != n || quiet != 1 {
		t.Errorf("busy took %d messages, want %d; quiet took %d, want 1", busy, n, quiet)
	}
}
