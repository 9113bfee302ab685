package jscode

// Limits that were met.
const (
	AccountStorage = 10002 // of the account
	ServerStorage  = 10023
	MaxStreams     = 10027
	Memory         = 10028
	Reserved       = 10047 // less is left than the stream reserves
	StoreFailed    = 10077 // among others: a limit of the stream; the text says which
	LimitDemanded  = 10113 // the account wants MaxBytes in each stream
	StreamTooLarge = 10122 // it reserves more than the account allows for one
)

// Others.
const (
	ClusterAway   = 10008
	NotLeader     = 10009
	StreamCreate  = 10049 // any trouble with the files of a new stream
	Overlap       = 10065 // another stream has the subjects
	StreamOffline = 10118
)
