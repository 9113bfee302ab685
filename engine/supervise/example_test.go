package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"penstock/engine/supervise"
)

// A worker that fails twice is started again twice.
func Example() {
	attempts := 0
	s := supervise.Supervisor{
		Children: []supervise.Child{{
			Name:    "worker",
			Backoff: supervise.Backoff{Initial: time.Millisecond, Jitter: -1},
			Serve: func(context.Context) error {
				attempts++
				switch attempts {
				case 1:
					return errors.New("no connection")
				case 2:
					panic("no luck")
				}
				return nil
			},
		}},
		OnEvent: func(e supervise.Event) {
			if e.Kind == supervise.BackingOff {
				fmt.Printf("%s: %v; restart %d in %v\n", e.Child, e.Err, e.Restart, e.Delay)
				return
			}
			fmt.Printf("%s: %v\n", e.Child, e.Kind)
		},
	}
	fmt.Println(s.Serve(context.Background()))
	// Output:
	// worker: starting
	// worker: fault
	// worker: no connection; restart 1 in 1ms
	// worker: restarting
	// worker: fault
	// worker: panic: no luck; restart 2 in 2ms
	// worker: restarting
	// worker: stopped
	// <nil>
}
