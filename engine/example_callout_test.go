package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"penstock/engine"
	"penstock/engine/breaker"
	"penstock/engine/enginetest"
)

// After two failures in a row nothing is sent for a while; then one message
// shows whether the other side is back.
func ExampleCircuitBreaker() {
	p := engine.New("bank")
	transfers := enginetest.Values(p, "transfers", "rent", "gas")
	careful := p.With(
		enginetest.FastRestarts(),
		engine.Attempts(5), // more than the breaker's failures
		engine.CircuitBreaker(breaker.Config{
			Failures: 2,
			Open:     20 * time.Millisecond,
			OnChange: func(from, to breaker.State) { fmt.Println("the breaker is", to) },
		}))
	engine.Sink(careful, "book", transfers, func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
		if m.Value == "rent" && m.Attempt <= 2 {
			return errors.New("the bank does not answer")
		}
		fmt.Println(m.Value, "at attempt", m.Attempt)
		return nil
	})
	complete(p)
	// Output:
	// the breaker is open
	// the breaker is half-open
	// rent at attempt 3
	// the breaker is closed
	// gas at attempt 1
}

// What cannot be reached is not the message's fault: it counts no attempt, and
// comes again after the delay of UnavailableBackoff.
func ExampleUnavailable() {
	p := engine.New("reach")
	words := enginetest.Values(p, "words", "hello")
	asked := 0
	send := func(string) error {
		if asked++; asked < 4 {
			return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route to host")}
		}
		return nil
	}
	engine.Sink(p.With(enginetest.FastRestarts(), engine.Attempts(1)), "send", words,
		func(_ context.Context, _ *struct{}, m engine.Message[string]) error {
			err := send(m.Value)
			var failed *net.OpError
			switch {
			case errors.As(err, &failed) && failed.Op == "dial": // nobody has seen the message
				return engine.Unavailable(err)
			case err != nil:
				return err
			}
			fmt.Println(m.Value, "at attempt", m.Attempt, "asked", asked, "times")
			return nil
		})
	complete(p)
	// Output: hello at attempt 1 asked 4 times
}
