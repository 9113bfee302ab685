package engine

import "penstock/engine/observe"

func (r *run) brokerStatus() *observe.BrokerStatus {
	b := r.Server
	return &observe.BrokerStatus{Embedded: b.Embedded(), Server: b.Server(), Connected: b.Connected(), Failure: b.Failure(), Reconnects: b.Reconnects()}
}
