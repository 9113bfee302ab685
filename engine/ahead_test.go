package engine_test

import (
	"context"
	goflag "flag"
	"fmt"
	"io"
	"testing"

	"penstock/engine"
)

// largeRuns is how often TestFramesAboveHalfOfTheReadAhead runs each of its pipelines.
var largeRuns = goflag.Int("largeruns", 2, "runs with large frames, of each size")

// One frame of these is more than half of what an input reads ahead: only when the one before is let go there is
// room for the next.
func TestFramesAboveHalfOfTheReadAhead(t *testing.T) {
	t.Parallel()
	for _, size := range []int{8_300_000, 6_000_000, 4_300_000} {
		t.Run(fmt.Sprintf("%.1f MB", float64(size)/1e6), func(t *testing.T) {
			t.Parallel()
			runs := *largeRuns
			if testing.Short() {
				runs = 1
			}
			for range runs {
				p := engine.New("large")
				values := engine.Source(p, "values", func(_ context.Context, n *int, emit engine.Emit[[]byte]) error {
					if *n == 5 {
						return io.EOF
					}
					*n++
					emit(make([]byte, size))
					return nil
				})
				engine.Stage(p, "count", engine.On(values, func(_ context.Context, n *int, _ engine.Message[[]byte], _ engine.Emit[engine.None]) error {
					*n++
					return nil
				}))
				dir := t.TempDir()
				if err := runBounded(t, p, testConfig(t, dir)); err != nil {
					t.Fatal(err)
				}
				if got := committedState[int](t, dir, "count")[""]; got != 5 {
					t.Errorf("%d messages were counted, want 5", got)
				}
			}
		})
	}
}
