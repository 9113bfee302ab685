package engine_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"penstock/engine"
)

// Words are sent together, an hour after the last one or a moment after a full
// stop: each word moves the timer. "now" sends them at once and stops it.
func ExampleOnTimer() {
	sent := make(chan struct{}, 2)
	p := engine.New("together")
	words := engine.Source(p, "words", func(ctx context.Context, at *int, emit engine.Emit[string]) error {
		all := []string{"the", "way", "now", "of", "a", "message."}
		switch *at {
		case 3, len(all): // wait until they were sent
			select {
			case <-sent:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if *at == len(all) {
			return io.EOF
		}
		emit(all[*at])
		*at++
		return nil
	})
	send := func(waiting *[]string, emit engine.Emit[string]) {
		emit(strings.Join(*waiting, " "))
		*waiting = nil
	}
	lines := engine.Stage(p, "gather",
		engine.On(words, func(ctx context.Context, waiting *[]string, m engine.Message[string], emit engine.Emit[string]) error {
			if m.Value == "now" {
				engine.CancelTimer(ctx, "quiet")
				send(waiting, emit)
				return nil
			}
			*waiting = append(*waiting, m.Value)
			wait := time.Hour
			if strings.HasSuffix(m.Value, ".") {
				wait = time.Millisecond
			}
			engine.SetTimer(ctx, "quiet", time.Now().Add(wait))
			return nil
		}),
		engine.OnTimer("quiet", func(_ context.Context, waiting *[]string, _ time.Time, emit engine.Emit[string]) error {
			send(waiting, emit)
			return nil
		}))
	engine.Sink(p, "print", lines, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
		fmt.Println(m.Value)
		sent <- struct{}{}
		return nil
	})
	complete(p)
	// Output:
	// the way
	// of a message.
}
