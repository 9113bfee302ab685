package observe

// Graph is what a pipeline is made of, without what it does.
type Graph struct {
	Pipeline string         `json:"pipeline"`
	Hash     string         `json:"hash,omitempty"` // of all that is declared but the functions
	Groups   []GraphGroup   `json:"groups"`         // outer before inner
	Stages   []GraphStage   `json:"stages"`         // producers before readers
	Channels []GraphChannel `json:"channels"`       // in the order of their readers
}

// GraphGroup is a group of a pipeline.
type GraphGroup struct {
	Name     string `json:"name"`
	Group    string `json:"group,omitempty"` // path of the group it is in; "" is the pipeline itself
	Strategy string `json:"strategy"`
}

// GraphStage is a stage of a pipeline.
type GraphStage struct {
	Name  string `json:"name"`
	Kind  Kind   `json:"kind"`
	Group string `json:"group,omitempty"` // its path: "back", "back/inner"; "" is the pipeline itself
	Keyed bool   `json:"keyed,omitempty"` // it has a state for each key

	Partitions int `json:"partitions,omitempty"` // instances, if there are several
}

// GraphChannel is what one stage writes and another reads.
type GraphChannel struct {
	Stream           string `json:"stream"` // "stage" or "stage/branch"
	Writer           string `json:"writer"`
	Reader           string `json:"reader"`            // "" without a reader, see Discard
	Type             string `json:"type"`              // of its values
	CapacityMessages uint64 `json:"capacity_messages"` // as in Capacity, of all streams of the writer
	CapacityBytes    uint64 `json:"capacity_bytes"`
}
