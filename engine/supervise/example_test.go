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

// A small tree. The device and those that need it restart together; when that has not helped often enough, the failure is
// passed to the root, which restarts the group as a whole, once.
func ExampleSupervisor() {
	device := supervise.Child{
		Name:    "device",
		Backoff: supervise.Immediate(),
		Serve:   func(context.Context) error { return errors.New("unplugged") },
	}
	reader := supervise.Child{
		Name:  "reader",
		Serve: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	}
	root := supervise.Supervisor{
		Name:  "root",
		Limit: supervise.Limit{Restarts: 1, Window: time.Minute},
		Children: []supervise.Child{{
			Name:    "hardware",
			Backoff: supervise.Immediate(),
			Group: &supervise.Supervisor{
				Strategy: supervise.RestForOne,
				Limit:    supervise.Limit{Restarts: 2, Window: time.Minute},
				Children: []supervise.Child{device, reader},
			},
		}},
		OnEvent: func(e supervise.Event) {
			if e.Kind == supervise.Escalated {
				fmt.Printf("%s/%s: %v\n", e.Group, e.Child, e.Kind)
			}
		},
	}
	err := root.Serve(context.Background())
	for limit := (*supervise.LimitError)(nil); errors.As(err, &limit); err = limit.Cause {
		fmt.Printf("%s/%s failed more than %d times\n", limit.Group, limit.Child, limit.Limit.Restarts)
	}
	fmt.Println(err)
	// Output:
	// hardware/device: escalated
	// hardware/device: escalated
	// /hardware: escalated
	// root/hardware failed more than 1 times
	// hardware/device failed more than 2 times
	// unplugged
}

// A recovery function knows what a failure means: a busy port is worth another try, whatever the limit says, and without a
// licence there is no point in one.
func ExampleChild_recover() {
	errBusy, errLicence := errors.New("port busy"), errors.New("no licence")
	failures := []error{errBusy, errBusy, errLicence}
	server := supervise.Child{
		Name:    "server",
		Backoff: supervise.Immediate(),
		Serve: func(context.Context) error {
			err := failures[0]
			failures = failures[1:]
			return err
		},
		Recover: func(_ context.Context, f supervise.Fault) supervise.Decision {
			fmt.Printf("fault %d: %v\n", f.Restarts+1, f.Err)
			switch {
			case errors.Is(f.Err, errBusy):
				return supervise.Ignore
			case errors.Is(f.Err, errLicence):
				return supervise.GiveUp
			}
			return supervise.ByPolicy
		},
	}
	s := supervise.Supervisor{Limit: supervise.Limit{Restarts: 1}, Children: []supervise.Child{server}}
	fmt.Println(s.Serve(context.Background()), s.Status()[0].State)
	// Output:
	// fault 1: port busy
	// fault 2: port busy
	// fault 3: no licence
	// <nil> given up
}

// A child that stands still in its first life is found, stopped and started again.
func ExampleCheck() {
	lives, done := 0, make(chan struct{})
	worker := supervise.Child{
		Name:    "worker",
		Backoff: supervise.Immediate(),
		Serve: func(ctx context.Context) error {
			lives++
			supervise.Running(ctx)
			if lives == 2 {
				close(done)
				return nil
			}
			<-ctx.Done()
			fmt.Println("stopped:", context.Cause(ctx))
			return nil
		},
		Checks: []supervise.Check{{
			Name:      "progress",
			Interval:  time.Millisecond,
			Threshold: 2,
			Probe: func(context.Context) supervise.Health {
				select {
				case <-done:
					return supervise.Well()
				default:
					return supervise.Unwell("stands still")
				}
			},
		}},
	}
	s := supervise.Supervisor{Children: []supervise.Child{worker}}
	fmt.Println(s.Serve(context.Background()), s.Status()[0].Restarts)
	// Output:
	// stopped: unhealthy: check "progress" failed 2 times: stands still
	// <nil> map[unhealthy:1]
}
