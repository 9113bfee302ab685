package observe

import "time"

// StageEvent is one step in the life of a stage, as it is kept in the
// pipeline's directory.
type StageEvent struct {
	Number  uint64        `json:"number"` // 1, 2, 3 … since the pipeline's fresh start
	Time    time.Time     `json:"time"`
	Stage   string        `json:"stage"`
	Kind    string        `json:"kind"`             // as supervise.EventKind says it: "starting", "fault", "restarting" …
	Reason  string        `json:"reason,omitempty"` // "normal", "error", "panic", "unhealthy", "shutdown"; of an end, and of the restart after it
	Error   string        `json:"error,omitempty"`
	Stack   string        `json:"stack,omitempty"` // of a panic
	Restart int           `json:"restart,omitempty"`
	Delay   time.Duration `json:"delay_ns,omitempty"`
	Detail  string        `json:"detail,omitempty"`
}

// HistorySize is how many of a stage's newest events are kept.
const HistorySize = 64
