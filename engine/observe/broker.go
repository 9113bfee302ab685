package observe

// BrokerStatus is how it is with the NATS server.
type BrokerStatus struct {
	Embedded   bool   `json:"embedded"`
	Server     string `json:"server"` // without credentials; "embedded"
	Connected  bool   `json:"connected"`
	Failure    string `json:"failure,omitempty"` // why it is not connected, as far as that is known
	Reconnects uint64 `json:"reconnects"`        // outages that ended, in this process
}
