package dlq

import (
	"context"
	"strings"
	"sync"
	"testing"

	"penstock/internal/testing/natsserver"
)

// What a start asks for: an outage that begins there must not end the pipeline.
func TestLookingOutlastsAnOutage(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	q := open(t, s.JetStream(), testConfig())
	failed := impatient(q)
	mustPut(t, q, letterAt(33), true)
	for what, do := range map[string]func(context.Context) error{
		"open": func(ctx context.Context) error {
			return q.ask(ctx, "open", func(ctx context.Context) error { return q.open(ctx, testConfig()) })
		},
		"last":  func(ctx context.Context) error { _, err := q.Last(ctx); return err },
		"count": func(ctx context.Context) error { _, err := q.Count(ctx); return err },
	} {
		s.Stop()
		var done sync.WaitGroup
		done.Go(func() {
			if err := do(t.Context()); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		})
		if line := <-failed; !strings.Contains(line, "cannot reach the dead letters") {
			t.Errorf("%s: log %q", what, line)
		}
		s.Again()
		done.Wait()
	}
	wantCount(t, q, 1)
}
