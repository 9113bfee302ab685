package connector

import "fmt"

// Guarantee is how often a message has its effect, whatever dies meanwhile.
type Guarantee int

// The guarantees, from the weakest on.
const (
	AtMostOnce  Guarantee = iota // what was not committed may be lost
	AtLeastOnce                  // what was not committed comes again
	OnceWithin                   // exactly once within a bound that About.Says names, and at least once beyond it
	ExactlyOnce                  // exactly once
)

var guarantees = [...]string{"at most once", "at least once", "once within a bound", "exactly once"}

// String returns it in words.
func (g Guarantee) String() string {
	if g < 0 || int(g) >= len(guarantees) {
		return fmt.Sprintf("Guarantee(%d)", int(g))
	}
	return guarantees[g]
}

// About says what a connector is. It needs no connection.
type About struct {
	Name      string // of the connector, as people call it: "jetstream source"
	Guarantee Guarantee
	Says      string // the guarantee in words: what it rests on, where it ends, and what helps there
	Place     string // what its place is: "the sequence in the stream"
	Settings  []Setting
}
