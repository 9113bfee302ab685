package crash

import (
	"context"

	"penstock/engine/broker"
	"penstock/tests/crash/ledger"
	"penstock/tests/crash/owners"
)

// checkOwners looks at the owners of the ledger's stages.
func checkOwners(ctx context.Context, s site) error {
	return s.withBroker(ctx, func(b *broker.Broker) error {
		return owners.Check(ctx, b, ledger.Name, []string{"entries", "book", "audit", "tally", "file"})
	})
}
