package observe

// BrokerStatus is how it is with the NATS server.
type BrokerStatus struct {
	Embedded   bool   `json:"embedded"`
	Server     string `json:"server"` // without credentials; "embedded"
	Connected  bool   `json:"connected"`
	Reconnects uint64 `json:"reconnects"` // outages that ended, in this process
}
