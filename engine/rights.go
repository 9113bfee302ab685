package engine

import (
	"penstock/engine/broker"
	"penstock/engine/rights"
)

// Rights are those that the pipeline needs on an external NATS server; see [rights.Of].
func (p *Pipeline) Rights(inboxPrefix string) []broker.Right {
	return rights.Of(rights.Config{Pipeline: p.plan.Name, Stages: p.plan.StageNames(), InboxPrefix: inboxPrefix})
}
