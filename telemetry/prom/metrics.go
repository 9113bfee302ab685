package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/measure"
	"penstock/engine/supervise"
)

type stageRead = func(s *engine.StageStatus, give func(float64, ...string))

func stageTotal(name, help string, read func(s *engine.StageStatus) uint64) metric[engine.StageStatus] {
	return metric[engine.StageStatus]{desc("stage_"+name, help, "pipeline", "stage"), prometheus.CounterValue,
		func(s *engine.StageStatus, give func(float64, ...string)) { give(float64(read(s))) }}
}

func stageGauge(name, help string, read func(s *engine.StageStatus) float64) metric[engine.StageStatus] {
	return metric[engine.StageStatus]{desc("stage_"+name, help, "pipeline", "stage"), prometheus.GaugeValue,
		func(s *engine.StageStatus, give func(float64, ...string)) { give(read(s)) }}
}

func stageBy(name, help, label string, read stageRead) metric[engine.StageStatus] {
	return metric[engine.StageStatus]{desc("stage_"+name, help, "pipeline", "stage", label), prometheus.CounterValue, read}
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

// giveWaits gives the longest overdue wait of each kind, of all kinds there are.
func giveWaits(list []engine.Wait, give func(float64, ...string)) {
	longest := map[string]float64{}
	for _, wait := range list {
		if wait.Overdue {
			longest[wait.For] = max(longest[wait.For], wait.Seconds)
		}
	}
	for _, kind := range engine.WaitKinds() {
		give(longest[kind], kind)
	}
}

func giveBy(counts map[string]uint64, reasons []string, give func(float64, ...string)) {
	for _, reason := range reasons {
		give(float64(counts[reason]), reason)
	}
}

// stageMetrics are about each stage. Totals are since the pipeline's fresh start.
var stageMetrics = []metric[engine.StageStatus]{
	stageTotal("messages_in_total", "Messages that the stage has consumed, by commits.", func(s *engine.StageStatus) uint64 { return s.In }),
	stageTotal("messages_out_total", "Messages that the stage has emitted, by commits.", func(s *engine.StageStatus) uint64 { return s.Out }),
	stageTotal("commits_total", "Frames that the stage has committed, fences included.", func(s *engine.StageStatus) uint64 { return s.Commits }),
	stageBy("restarts_total", "Restarts of the stage, by the reason why it had ended.", "reason", func(s *engine.StageStatus, give func(float64, ...string)) {
		giveBy(s.RestartsBy, restartReasons, give)
	}),
	stageBy("faults_total", "Faults of the stage: panics, errors, failed health checks and exceeded deadlines.", "kind", func(s *engine.StageStatus, give func(float64, ...string)) {
		give(float64(s.Panics), supervise.Panic.String())
		give(float64(s.Errors), supervise.Error.String())
		give(float64(s.Unhealthy), supervise.Unhealthy.String())
	}),
	stageBy("dead_letters_total", "Messages that became dead letters, by reason.", "reason", func(s *engine.StageStatus, give func(float64, ...string)) {
		giveBy(s.DeadLettersBy, letterReasons, give)
	}),
	stageTotal("failed_attempts_total", "Failed attempts, at messages and at other calls.", func(s *engine.StageStatus) uint64 { return s.FailedAttempts }),
	stageTotal("foreign_messages_total", "Messages of other clients in the stage's channel, set aside by this process.", func(s *engine.StageStatus) uint64 { return s.Foreign }),
	stageTotal("killer_messages_total", "Deaths of the process that were traced to a message of the stage.", func(s *engine.StageStatus) uint64 { return s.Killed }),
	stageTotal("dropped_messages_total", "Messages that were dropped without a dead letter, as the stage is configured to do.", func(s *engine.StageStatus) uint64 { return s.Dropped }),
	stageTotal("abandoned_functions_total", "Functions that did not return and were abandoned.", func(s *engine.StageStatus) uint64 { return s.Abandoned }),
	stageTotal("recovery_failures_total", "Recovery functions that panicked or took too long.", func(s *engine.StageStatus) uint64 { return s.RecoveryFailures }),
	stageTotal("unavailable_calls_total", "Calls that returned Unavailable.", func(s *engine.StageStatus) uint64 { return s.Unavailable }),
	{desc("stage_busy_seconds_total", "Time spent in the stage's functions, in this process.", "pipeline", "stage"), prometheus.CounterValue,
		func(s *engine.StageStatus, give func(float64, ...string)) { give(s.BusySeconds) }},
	stageGauge("lag_messages", "Messages that are committed upstream and not yet consumed.", func(s *engine.StageStatus) float64 { return float64(s.Lag) }),
	stageGauge("waiting_messages", "Messages that wait for their next attempt while later ones go on.", func(s *engine.StageStatus) float64 { return float64(s.Waiting) }),
	stageGauge("state_bytes", "Size of the committed state of an unkeyed stage.", func(s *engine.StageStatus) float64 { return float64(s.StateBytes) }),
	stageGauge("state_limit_bytes", "Largest size of a state, together with the outputs of a call.", func(s *engine.StageStatus) float64 { return float64(s.StateLimit) }),
	stageGauge("large_states", "States larger than half of their limit; at most 100 are counted.", func(s *engine.StageStatus) float64 { return float64(s.LargeStates) }),
	stageGauge("epoch", "Epoch of the stage: the number of owners it has had.", func(s *engine.StageStatus) float64 { return float64(s.Epoch) }),
	stageGauge("uptime_seconds", "Time since the last start of the stage; 0 when it is down.", func(s *engine.StageStatus) float64 { return s.UptimeSeconds }),
	stageGauge("running", "1 when the stage runs or has ended, 0 when it is down.", func(s *engine.StageStatus) float64 {
		return boolFloat(s.Ended || s.State == supervise.StateRunning.String())
	}),
	{desc("stage_overdue_wait_seconds", "How long an overdue wait of the stage has lasted, by what it waits for; 0 when none is overdue.",
		"pipeline", "stage", "for"), prometheus.GaugeValue,
		func(s *engine.StageStatus, give func(float64, ...string)) { giveWaits(s.Waits, give) }},
	stageGauge("ended", "1 when the stage has ended.", func(s *engine.StageStatus) float64 { return boolFloat(s.Ended) }),
}

func channelMetric(kind prometheus.ValueType, name, help string, read func(c *engine.ChannelStatus) float64) metric[engine.ChannelStatus] {
	return metric[engine.ChannelStatus]{desc("channel_"+name, help, "pipeline", "stream", "reader"), kind,
		func(c *engine.ChannelStatus, give func(float64, ...string)) { give(read(c)) }}
}

// channelMetrics are about each stream and stage that reads it.
var channelMetrics = []metric[engine.ChannelStatus]{
	channelMetric(prometheus.CounterValue, "written_messages_total", "Messages committed to the stream.", func(c *engine.ChannelStatus) float64 { return float64(c.Written) }),
	channelMetric(prometheus.CounterValue, "taken_messages_total", "Messages of the stream that the reader has consumed.", func(c *engine.ChannelStatus) float64 { return float64(c.Taken) }),
	channelMetric(prometheus.GaugeValue, "lag_messages", "Lag of the reader: messages that it has not consumed yet.", func(c *engine.ChannelStatus) float64 { return float64(c.Lag()) }),
	channelMetric(prometheus.GaugeValue, "fill_ratio", "How full the channel is for the reader, from 0 to 1.", func(c *engine.ChannelStatus) float64 { return c.Fill }),
	channelMetric(prometheus.GaugeValue, "oldest_seconds", "Age of the reader's next message; 0 when none waits.", func(c *engine.ChannelStatus) float64 { return c.OldestSeconds }),
	channelMetric(prometheus.GaugeValue, "held", "1 while the reader's next message is held back: it answered Hold or Snooze.", func(c *engine.ChannelStatus) float64 { return boolFloat(c.Held) }),
	channelMetric(prometheus.GaugeValue, "stored_bytes", "Bytes that the channel stores now.", func(c *engine.ChannelStatus) float64 { return float64(c.StoredBytes) }),
}

func pipelineMetric(kind prometheus.ValueType, name, help string, read func(s *engine.Status) (float64, bool)) metric[engine.Status] {
	return metric[engine.Status]{desc(name, help, "pipeline"), kind, func(s *engine.Status, give func(float64, ...string)) {
		if v, ok := read(s); ok {
			give(v)
		}
	}}
}

func ofCheckpoint(read func(c *engine.CheckpointStatus) float64) func(*engine.Status) (float64, bool) {
	return func(s *engine.Status) (float64, bool) {
		if s.Checkpoint == nil {
			return 0, false
		}
		return read(s.Checkpoint), true
	}
}

func ofBroker(read func(b *engine.BrokerStatus) float64) func(*engine.Status) (float64, bool) {
	return func(s *engine.Status) (float64, bool) {
		if s.Broker == nil {
			return 0, false
		}
		return read(s.Broker), true
	}
}

func ofDisk(read func(d *engine.DiskStatus) float64) func(*engine.Status) (float64, bool) {
	return func(s *engine.Status) (float64, bool) {
		if s.Disk == nil {
			return 0, false
		}
		return read(s.Disk), true
	}
}

// pipelineMetrics are about the pipeline as a whole.
var pipelineMetrics = []metric[engine.Status]{
	pipelineMetric(prometheus.GaugeValue, "checkpoint_age_seconds", "Time since the last checkpoint that succeeded or had nothing to save.", ofCheckpoint(func(c *engine.CheckpointStatus) float64 { return c.AgeSeconds })),
	pipelineMetric(prometheus.GaugeValue, "checkpoint_duration_seconds", "Duration of the last checkpoint that saved something.", ofCheckpoint(func(c *engine.CheckpointStatus) float64 { return c.TookSeconds })),
	pipelineMetric(prometheus.GaugeValue, "checkpoint_store_bytes", "Size of the checkpoint store on disk.", ofCheckpoint(func(c *engine.CheckpointStatus) float64 { return float64(c.Bytes) })),
	pipelineMetric(prometheus.CounterValue, "checkpoints_total", "Checkpoints taken by this process.", ofCheckpoint(func(c *engine.CheckpointStatus) float64 { return float64(c.Taken) })),
	pipelineMetric(prometheus.CounterValue, "checkpoint_failures_total", "Checkpoints of this process that failed.", ofCheckpoint(func(c *engine.CheckpointStatus) float64 { return float64(c.Failed) })),
	pipelineMetric(prometheus.GaugeValue, "broker_connected", "1 while the NATS server is connected.", ofBroker(func(b *engine.BrokerStatus) float64 { return boolFloat(b.Connected) })),
	pipelineMetric(prometheus.CounterValue, "broker_reconnects_total", "Outages of the NATS server that ended, in this process.", ofBroker(func(b *engine.BrokerStatus) float64 { return float64(b.Reconnects) })),
	pipelineMetric(prometheus.GaugeValue, "disk_used_bytes", "Used space, by all programs, on the fullest disk that the pipeline writes to.", ofDisk(func(d *engine.DiskStatus) float64 { return float64(d.Used) })),
	pipelineMetric(prometheus.GaugeValue, "disk_free_bytes", "Free space on the fullest disk that the pipeline writes to.", ofDisk(func(d *engine.DiskStatus) float64 { return float64(d.Free) })),
	pipelineMetric(prometheus.GaugeValue, "disk_bound_bytes", "The sources wait when less than this is free.", ofDisk(func(d *engine.DiskStatus) float64 { return float64(d.Bound) })),
}

// histogramMetric is one histogram of each stage.
type histogramMetric struct {
	desc *prometheus.Desc
	read func(m *engine.StageMeasures) measure.Snapshot
}

var histogramMetrics = []histogramMetric{
	{desc("stage_call_seconds", "Duration of a call of the stage's functions.", "pipeline", "stage"), func(m *engine.StageMeasures) measure.Snapshot { return m.Calls }},
	{desc("stage_message_age_seconds", "Age of a message, by its time, when the commit that consumed it was on disk.", "pipeline", "stage"), func(m *engine.StageMeasures) measure.Snapshot { return m.Ages }},
	{desc("stage_commit_seconds", "Duration of a commit, until its frame is on disk.", "pipeline", "stage"), func(m *engine.StageMeasures) measure.Snapshot { return m.Commits }},
	{desc("stage_commit_messages", "Messages that a commit consumed; for a source, calls.", "pipeline", "stage"), func(m *engine.StageMeasures) measure.Snapshot { return m.Batches }},
}

// inputAges is the histogram of each channel.
var inputAges = desc("channel_message_age_seconds", "Age of a message of the stream, by its time, when the reader's commit that consumed it was on disk.", "pipeline", "stream", "reader")

func boolFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
