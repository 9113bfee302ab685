package observe

import (
	"maps"
	"slices"

	"penstock/dlq"
	"penstock/engine/supervise"
)

// StageCounter declares one of the counts of a stage: from this the metrics, the recordings, the dashboard and the
// summary of a run are made.
type StageCounter struct {
	Key    string                       // its name in JSON, recordings, the dashboard and the summary of a run
	Metric string                       // of Prometheus, without penstock_stage_ and _total; several counters may share one
	Help   string                       // what the metric counts
	Rare   bool                         // it is 0 as a rule, and shown only where it is not
	Label  string                       // what tells the values of the metric apart; "": it has one value
	Total  func(c *StageCounts) uint64  // all values together
	By     func(c *StageCounts) []Count // the values that have a label, those that are 0 too
}

// Count is how often something was counted.
type Count struct {
	Of string `json:"of"`
	N  uint64 `json:"n"`
}

// StageCounters are the counters of a stage, in the order in which they are shown. The list is the caller's.
func StageCounters() []StageCounter {
	return []StageCounter{
		{Key: "in", Metric: "messages_in", Help: "Messages that the stage has consumed, by commits.",
			Total: func(c *StageCounts) uint64 { return c.In }},
		{Key: "out", Metric: "messages_out", Help: "Messages that the stage has emitted, by commits.",
			Total: func(c *StageCounts) uint64 { return c.Out }},
		{Key: "commits", Metric: "commits", Help: "Frames that the stage has committed, fences included.",
			Total: func(c *StageCounts) uint64 { return c.Commits }},
		{Key: "starts", Metric: "starts", Help: "Starts of the stage's functions.",
			Total: func(c *StageCounts) uint64 { return c.Starts }},
		{Key: "restarts", Metric: "restarts", Help: "Restarts of the stage, by the reason why it had ended.",
			Total: func(c *StageCounts) uint64 { return c.Restarts },
			Label: "reason", By: func(c *StageCounts) []Count { return eachReason(c.RestartsBy, restartReasons) }},
		fault("panics", supervise.Panic, func(c *StageCounts) uint64 { return c.Panics }),
		fault("errors", supervise.Error, func(c *StageCounts) uint64 { return c.Errors }),
		fault("unhealthy", supervise.Unhealthy, func(c *StageCounts) uint64 { return c.Unhealthy }),
		{Key: "failed_attempts", Metric: "failed_attempts", Help: "Failed attempts, at messages and at other calls.",
			Total: func(c *StageCounts) uint64 { return c.FailedAttempts }},
		{Key: "dead_letters", Metric: "dead_letters", Help: "Messages that became dead letters, by reason.",
			Total: func(c *StageCounts) uint64 { return c.DeadLetters },
			Label: "reason", By: func(c *StageCounts) []Count { return eachReason(c.DeadLettersBy, letterReasons) }},
		{Key: "dropped", Rare: true, Metric: "dropped_messages", Help: "Messages that were dropped without a dead letter, as the stage is configured to do.",
			Total: func(c *StageCounts) uint64 { return c.Dropped }},
		{Key: "unavailable", Rare: true, Metric: "unavailable_calls", Help: "Calls that returned Unavailable.",
			Total: func(c *StageCounts) uint64 { return c.Unavailable }},
		{Key: "abandoned", Rare: true, Metric: "abandoned_functions", Help: "Functions that did not return and were abandoned.",
			Total: func(c *StageCounts) uint64 { return c.Abandoned }},
		{Key: "recovery_failures", Rare: true, Metric: "recovery_failures", Help: "Recovery functions that panicked or took too long.",
			Total: func(c *StageCounts) uint64 { return c.RecoveryFailures }},
		{Key: "killed", Rare: true, Metric: "killer_messages", Help: "Deaths of the process that were traced to a message of the stage.",
			Total: func(c *StageCounts) uint64 { return c.Killed }},
		{Key: "foreign_messages", Rare: true, Metric: "foreign_messages", Help: "Messages of other clients in the stage's channel, set aside by this process.",
			Total: func(c *StageCounts) uint64 { return c.Foreign }},
	}
}

// fault is a counter of one kind of faults. All kinds are one metric.
func fault(key string, kind supervise.Reason, total func(c *StageCounts) uint64) StageCounter {
	return StageCounter{
		Key: key, Metric: "faults", Help: "Faults of the stage: panics, errors, failed health checks and exceeded deadlines.",
		Total: total, Label: "kind", By: func(c *StageCounts) []Count { return []Count{{kind.String(), total(c)}} },
	}
}

// All the reasons there are. Each is given from the start, as 0: of a series that
// begins with 1 Prometheus does not see that it grew.
var (
	restartReasons = []string{supervise.Normal.String(), supervise.Error.String(), supervise.Panic.String(), supervise.Unhealthy.String(), supervise.Shutdown.String()}
	letterReasons  = []string{
		string(dlq.ReasonPanic), string(dlq.ReasonKilled), string(dlq.ReasonError), string(dlq.ReasonDeadline),
		string(dlq.ReasonRejected), string(dlq.ReasonTooLarge), string(dlq.ReasonHeld),
	}
)

// eachReason also gives what has another reason: an earlier build kept none.
func eachReason(counts map[string]uint64, reasons []string) []Count {
	var list []Count
	for _, reason := range reasons {
		list = append(list, Count{reason, counts[reason]})
	}
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		if !slices.Contains(reasons, reason) {
			list = append(list, Count{reason, counts[reason]})
		}
	}
	return list
}
