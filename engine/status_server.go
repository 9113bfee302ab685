package engine

func (r *run) brokerStatus() *BrokerStatus {
	b := r.Server
	return &BrokerStatus{Embedded: b.Embedded(), Server: b.Server(), Connected: b.Connected(), Reconnects: b.Reconnects()}
}
