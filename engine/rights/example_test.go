package rights_test

import (
	"fmt"

	"penstock/engine/rights"
)

// What the user of an external NATS server has to be allowed for a pipeline with two stages.
func ExampleOf() {
	for _, r := range rights.Of(rights.Config{Pipeline: "orders", Stages: []string{"lines", "totals"}})[:4] {
		fmt.Printf("%s %s: %s\n", r.Action, r.Subject, r.Use)
	}
	// Output:
	// subscribe to _INBOX.>: receive the answers of the server
	// subscribe to orders.*.*.replay.>: learn of replayed dead letters
	// publish to orders.>: write frames, dead letters and replays
	// publish to $JS.API.INFO: read the JetStream account information
}
