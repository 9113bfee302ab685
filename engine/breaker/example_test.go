package breaker_test

import (
	"fmt"
	"time"

	"penstock/engine/breaker"
)

// The other side fails three times, and a little later answers again.
func Example() {
	b := breaker.New("crm", breaker.Config{
		Failures: 3,
		Open:     20 * time.Millisecond,
		OnChange: func(from, to breaker.State) { fmt.Printf("%v -> %v\n", from, to) },
	})
	answers := []bool{true, false, false, false, true, true}
	for len(answers) > 0 {
		next, ok := b.Allow()
		if !ok {
			time.Sleep(time.Until(next))
			continue
		}
		fmt.Println("call succeeded:", answers[0])
		b.Done(answers[0])
		answers = answers[1:]
	}
	// Output:
	// call succeeded: true
	// call succeeded: false
	// call succeeded: false
	// call succeeded: false
	// closed -> open
	// open -> half-open
	// call succeeded: true
	// half-open -> closed
	// call succeeded: true
}

// A call that was never made, or that was stopped half way, says nothing about the other side.
func ExampleBreaker_Drop() {
	b := breaker.New("crm", breaker.Config{Failures: 1})
	b.Allow()
	b.Drop()
	fmt.Println(b.State(), b.Counts())
	// Output: closed {0 0}
}
