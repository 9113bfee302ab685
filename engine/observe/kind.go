package observe

// Kind is what a stage is in the graph.
type Kind string

const (
	KindSource    Kind = "source"    // no input
	KindProcessor Kind = "processor" // reads and writes
	KindSink      Kind = "sink"      // reads, has its effect outside
)
