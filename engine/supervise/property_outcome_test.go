package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"penstock/engine/supervise"
)

// outcome is how a life ends, or how something that was asked answers.
type outcome uint8

const (
	runs outcome = iota // until it is stopped
	obeys
	ends
	fails
	panics
	panicsNil
	exits
	uncounted
	escalates
	fatal
	hangs
)

func (o outcome) String() string {
	return [...]string{"runs", "obeys", "ends", "fails", "panics", "panics with nil", "exits", "fails uncounted", "escalates", "fatal", "hangs"}[o]
}

type order uint8

const (
	restartIt order = iota + 1
	stopIt
	startIt
)

var (
	errBroken  = errors.New("broken")
	errOutside = errors.New("not ours")
	errFatal   = errors.New("for ever")
)

func (o outcome) happen(ctx context.Context) error {
	switch o {
	case obeys:
		return ctx.Err()
	case fails:
		return errBroken
	case panics:
		panic(errBroken)
	case panicsNil:
		panic(nil)
	case exits:
		runtime.Goexit()
	case uncounted:
		return fmt.Errorf("again: %w", supervise.Uncounted(errBroken))
	case escalates:
		return fmt.Errorf("up: %w", supervise.Escalate(errOutside))
	case fatal:
		panic(supervise.Fatal(errFatal))
	}
	return nil
}
