package observe

// StageCounts are the counts of a stage: totals since the pipeline's fresh start, across restarts of the process,
// unless they say otherwise. StageCounters tells how each is named and shown.
type StageCounts struct {
	In      uint64 `json:"in"`      // messages taken
	Out     uint64 `json:"out"`     // messages emitted
	Commits uint64 `json:"commits"` // frames, fences included
	LifeCounts
	RestartsBy    map[string]uint64 `json:"restarts_by_reason,omitempty"`     // Restarts by supervise.Reason of the end before
	DeadLetters   uint64            `json:"dead_letters"`                     // messages diverted
	DeadLettersBy map[string]uint64 `json:"dead_letters_by_reason,omitempty"` // the same by dlq.Reason
	Dropped       uint64            `json:"dropped,omitempty"`                // messages dropped without a dead letter: at their limit, by a recovery function, by OnUnfit or CountDropped
	Foreign       uint64            `json:"foreign_messages,omitempty"`       // in its channel, of other clients, set aside in this process
}

// LifeCounts are the counts that no frame tells: a stage keeps them beside its checkpoint, as this JSON.
type LifeCounts struct {
	Starts           uint64 `json:"starts"`                      // of the stage's functions: the number of its generation
	Restarts         uint64 `json:"restarts"`                    // starts after a fault of its own, of a sibling, or by an operator
	Panics           uint64 `json:"panics"`                      // faults that were panics
	Errors           uint64 `json:"errors"`                      // faults that were errors
	Unhealthy        uint64 `json:"unhealthy,omitempty"`         // faults that a health check or the deadline found
	Abandoned        uint64 `json:"abandoned,omitempty"`         // functions that did not return and were left behind
	RecoveryFailures uint64 `json:"recovery_failures,omitempty"` // recovery functions that panicked or took too long
	Unavailable      uint64 `json:"unavailable,omitempty"`       // calls that answered Unavailable
	FailedAttempts   uint64 `json:"failed_attempts,omitempty"`   // at messages, and at calls that are none
	Killed           uint64 `json:"killed,omitempty"`            // deaths of the process that a message was found guilty of
}
