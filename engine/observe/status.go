package observe

import "time"

// Status is what a pipeline is doing, or did.
type Status struct {
	Pipeline  string `json:"pipeline"`
	Completed bool   `json:"completed"` // every stage has ended
	// Reopened: the last run was complete, and this one only handles what it left, such as replays. Known when every
	// stage is open.
	Reopened bool          `json:"reopened,omitempty"`
	Elapsed  time.Duration `json:"-"`                // since Run began
	Stages   []StageStatus `json:"stages"`           // producers before readers
	Groups   []GroupStatus `json:"groups,omitempty"` // outer before inner, in the order of their declaration
	Disk     *DiskStatus   `json:"disk,omitempty"`   // nil when it is not looked at
	// Channels are what stages read, in the order of their readers.
	Channels   []ChannelStatus   `json:"channels,omitempty"`
	Checkpoint *CheckpointStatus `json:"checkpoint,omitempty"` // nil before the run is ready
	Broker     *BrokerStatus     `json:"broker,omitempty"`     // nil before the run is ready
	// Waits are what the run waits for before its stages are open, and beside them.
	Waits []Wait `json:"waits,omitempty"`
}

// StageStatus is what a stage is doing, or did.
type StageStatus struct {
	Name    string `json:"name"`
	Kind    Kind   `json:"kind"`
	Group   string `json:"group,omitempty"`   // its path: "back", "back/inner"; "" is the pipeline itself
	State   string `json:"state"`             // "starting", "running", "backing off", "stopped", "given up", "ended" …; see supervise.State
	Health  string `json:"health,omitempty"`  // "healthy", "degraded: cache cold" …; "" without a health check
	Breaker string `json:"breaker,omitempty"` // "closed", "open", "half-open"; "" without a circuit breaker

	Ended bool `json:"ended"`
	StageCounts
	Epoch         uint64        `json:"epoch"`                  // owners so far
	StateBytes    int64         `json:"state_bytes,omitempty"`  // of the committed state, unless it is one for each key
	StateLimit    int64         `json:"state_limit"`            // bytes that a commit holds: of the state, or of that of a key, and of the outputs of a call
	LargeStates   int64         `json:"large_states,omitempty"` // states that take more than half of that: 1, or as many keys, at most 100
	Lag           uint64        `json:"lag"`                    // messages committed upstream and not taken
	Waiting       int           `json:"waiting,omitempty"`      // of these, messages that others have overtaken, see AttemptDelay
	Waits         []Wait        `json:"waits,omitempty"`        // what it waits for
	Uptime        time.Duration `json:"-"`                      // since its functions were started the last time; 0 when it is down
	UptimeSeconds float64       `json:"uptime_seconds"`         // the same
	Busy          time.Duration `json:"-"`                      // inside the stage's functions, in this process
	BusySeconds   float64       `json:"busy_seconds"`           // the same

	// Partitions are the instances of a stage that has several, "stage.0", "stage.1" …; nil when it has one. The other
	// fields are then about all together: sums, and the worst of states, of health and of waits.
	Partitions []StageStatus `json:"partitions,omitempty"`
}

// GroupStatus is what a group is doing.
type GroupStatus struct {
	Name     string `json:"name"`
	Group    string `json:"group,omitempty"` // path of the group it is in
	Strategy string `json:"strategy"`
	State    string `json:"state"`
	Restarts uint64 `json:"restarts"` // of the group as a whole, in this process
}
