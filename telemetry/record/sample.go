package record

import (
	"time"

	"penstock/engine/observe"
)

// Sample is how a pipeline stands at a time, and what it did since the sample
// before. It is what the page draws, what the history keeps and what a
// recording holds.
type Sample struct {
	Time       time.Time         `json:"time"`
	Seconds    float64           `json:"seconds"` // since the sample before
	State      string            `json:"state"`   // "starting", "running", "complete", "stopped"
	Stages     []StageSample     `json:"stages"`
	Channels   []ChannelSample   `json:"channels"`
	Process    ProcessSample     `json:"process"`
	Disk       *DiskSample       `json:"disk,omitempty"`
	Broker     *BrokerSample     `json:"broker,omitempty"`
	Checkpoint *CheckpointSample `json:"checkpoint,omitempty"`
}

// StageSample is a stage in a Sample. Totals are since the pipeline's fresh
// start, across restarts of the process; rates are messages a second.
type StageSample struct {
	Name    string `json:"name"`
	State   string `json:"state"` // as in observe.StageStatus
	Health  string `json:"health,omitempty"`
	Breaker string `json:"breaker,omitempty"`
	Color   Color  `json:"color"`
	// Triggers are the names of those that find it out of bounds.
	Triggers []string `json:"triggers,omitempty"`
	// Waits are what it waits for, for longer than it does for good reasons, with
	// what is known of it.
	Waits []string `json:"waits,omitempty"`

	In          uint64  `json:"in"`
	Out         uint64  `json:"out"`
	InRate      float64 `json:"in_rate"`
	OutRate     float64 `json:"out_rate"`
	Busy        float64 `json:"busy"` // share of the time in the stage's functions, 0 to 1
	Restarts    uint64  `json:"restarts"`
	Faults      uint64  `json:"faults"`          // panics, errors, health checks and deadlines
	Attempts    uint64  `json:"failed_attempts"` // at messages, and at calls that are none
	DeadLetters uint64  `json:"dead_letters"`
	Commits     uint64  `json:"commits"`
	Epoch       uint64  `json:"epoch"`
	Lag         uint64  `json:"lag"`
	Waiting     int     `json:"waiting,omitempty"`
	StateBytes  int64   `json:"state_bytes,omitempty"`
	Uptime      float64 `json:"uptime"` // seconds
	// Counts are the rare counts of the stage (observe.StageCounter.Rare) that are not 0, by their keys.
	Counts []observe.Count `json:"counts,omitempty"`

	Call    Spread `json:"call"`    // seconds in a call of its functions
	Latency Spread `json:"latency"` // seconds from a message's time to the commit that took it
	Commit  Spread `json:"commit"`  // seconds until a frame is on disk
	Batch   Spread `json:"batch"`   // messages in a commit; of a source, calls
}

// Spread says how something was spread over the last Window.
type Spread struct {
	Count     uint64  `json:"n"`
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"dev"`
	P50       float64 `json:"p50"`
	P95       float64 `json:"p95"`
	P99       float64 `json:"p99"`
	Max       float64 `json:"max"`
}

// Window is what the spreads of a sample are about.
const Window = 10 * time.Second

// ChannelSample is a channel in a Sample, as one of its readers sees it.
type ChannelSample struct {
	Stream string `json:"stream"` // "stage" or "stage/branch"
	Reader string `json:"reader"`
	Color  Color  `json:"color"`
	// Triggers are the names of those that find it out of bounds.
	Triggers []string `json:"triggers,omitempty"`

	Written uint64  `json:"written"`
	Taken   uint64  `json:"taken"`
	Rate    float64 `json:"rate"` // messages taken a second
	Lag     uint64  `json:"lag"`
	Fill    float64 `json:"fill"`   // 0 to 1
	Oldest  float64 `json:"oldest"` // seconds, of what waits
	Bytes   int64   `json:"bytes"`
	Waiting int     `json:"waiting,omitempty"`
	Held    bool    `json:"held,omitempty"`
	Latency Spread  `json:"latency"` // seconds from a message's time to the commit that took it
}

// ProcessSample is the process in a Sample.
type ProcessSample struct {
	CPU        float64 `json:"cpu"`      // processors busy
	Resident   int64   `json:"resident"` // bytes of memory; 0 where that cannot be had
	Heap       int64   `json:"heap"`     // bytes live after the last collection
	Goroutines int     `json:"goroutines"`
}

// DiskSample is the disk of the data directory in a Sample, in bytes.
type DiskSample struct {
	State string `json:"state"`
	Used  int64  `json:"used"`
	Free  int64  `json:"free"`
	Bound int64  `json:"bound"` // with less free space the sources wait
}

// BrokerSample is the NATS server in a Sample.
type BrokerSample struct {
	Server     string `json:"server"` // without credentials
	Connected  bool   `json:"connected"`
	Reconnects uint64 `json:"reconnects"`
}

// CheckpointSample is the checkpoint store in a Sample.
type CheckpointSample struct {
	Age   float64 `json:"age"`  // seconds
	Took  float64 `json:"took"` // seconds
	Bytes int64   `json:"bytes"`
}
