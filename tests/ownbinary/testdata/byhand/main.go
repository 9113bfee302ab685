// Command byhand runs its pipeline itself, in the directory that it is given. One
// call lets the verbs of the command ask it while it runs.
package main

import (
	"context"
	"fmt"
	"os"

	"penstock/cmd/pipeline/control"
	"penstock/engine"
)

func main() {
	p := engine.New("byhand")
	numbers := engine.Source(p, "numbers", func(ctx context.Context, last *uint64, emit engine.Emit[uint64]) error {
		if *last == 2 { // the end comes from outside
			<-ctx.Done()
			return ctx.Err()
		}
		*last++
		emit(*last)
		return nil
	})
	engine.Sink(p, "odd", numbers, func(_ context.Context, sum *uint64, m engine.Message[uint64]) error {
		if m.Value%2 == 0 {
			return engine.Reject(fmt.Errorf("%d is even", m.Value))
		}
		*sum += m.Value
		return nil
	})
	if err := p.Run(context.Background(), control.With(p, engine.Config{Dir: os.Args[1]})); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
