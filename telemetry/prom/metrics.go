package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"penstock/engine/measure"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// stageCounters are the metrics of all counters of a stage.
func stageCounters() (list []metric[observe.StageStatus]) {
	for _, c := range observe.StageCounters() {
		labels := []string{"pipeline", "stage"}
		read := func(s *observe.StageStatus, give func(float64, ...string)) { give(float64(c.Total(&s.StageCounts))) }
		if c.Label != "" {
			labels = append(labels, c.Label)
			read = func(s *observe.StageStatus, give func(float64, ...string)) {
				for _, part := range c.By(&s.StageCounts) {
					give(float64(part.N), part.Of)
				}
			}
		}
		list = append(list, metric[observe.StageStatus]{desc("stage_"+c.Metric+"_total", c.Help, labels...), prometheus.CounterValue, read})
	}
	return list
}

func stageGauge(name, help string, read func(s *observe.StageStatus) float64) metric[observe.StageStatus] {
	return metric[observe.StageStatus]{desc("stage_"+name, help, "pipeline", "stage"), prometheus.GaugeValue,
		func(s *observe.StageStatus, give func(float64, ...string)) { give(read(s)) }}
}

// running is 1 for a stage, or a partition of it, that runs or has ended.
func running(s *observe.StageStatus) float64 {
	return boolFloat(s.Ended || s.State == supervise.StateRunning.String())
}

// giveWaits gives the longest overdue wait of each kind, of all kinds there are.
func giveWaits(list []observe.Wait, give func(float64, ...string)) {
	longest := map[string]float64{}
	for _, wait := range list {
		if wait.Overdue {
			longest[wait.For] = max(longest[wait.For], wait.Seconds)
		}
	}
	for _, kind := range observe.WaitKinds() {
		give(longest[kind], kind)
	}
}

// stageMetrics are about each stage. Totals are since the pipeline's fresh start.
var stageMetrics = append(stageCounters(), []metric[observe.StageStatus]{
	{desc("stage_busy_seconds_total", "Time spent in the stage's functions, in this process.", "pipeline", "stage"), prometheus.CounterValue,
		func(s *observe.StageStatus, give func(float64, ...string)) { give(s.BusySeconds) }},
	stageGauge("lag_messages", "Messages that are committed upstream and not yet consumed.", func(s *observe.StageStatus) float64 { return float64(s.Lag) }),
	stageGauge("waiting_messages", "Messages that wait for their next attempt while later ones go on.", func(s *observe.StageStatus) float64 { return float64(s.Waiting) }),
	stageGauge("state_bytes", "Size of the committed state of an unkeyed stage.", func(s *observe.StageStatus) float64 { return float64(s.StateBytes) }),
	stageGauge("state_limit_bytes", "Largest size of a state, together with the outputs of a call.", func(s *observe.StageStatus) float64 { return float64(s.StateLimit) }),
	stageGauge("large_states", "States larger than half of their limit; at most 100 are counted.", func(s *observe.StageStatus) float64 { return float64(s.LargeStates) }),
	stageGauge("epoch", "Epoch of the stage: the number of owners it has had.", func(s *observe.StageStatus) float64 { return float64(s.Epoch) }),
	stageGauge("uptime_seconds", "Time since the last start of the stage; 0 when it is down.", func(s *observe.StageStatus) float64 { return s.UptimeSeconds }),
	stageGauge("running", "1 when the stage runs or has ended, 0 when it is down.", running),
	{desc("stage_overdue_wait_seconds", "How long an overdue wait of the stage has lasted, by what it waits for; 0 when none is overdue.",
		"pipeline", "stage", "for"), prometheus.GaugeValue,
		func(s *observe.StageStatus, give func(float64, ...string)) { giveWaits(s.Waits, give) }},
	stageGauge("ended", "1 when the stage has ended.", func(s *observe.StageStatus) float64 { return boolFloat(s.Ended) }),
}...)

func partitionMetric(kind prometheus.ValueType, name, help string, read func(s *observe.StageStatus) float64) metric[observe.StageStatus] {
	return metric[observe.StageStatus]{desc("partition_"+name, help, "pipeline", "stage", "partition"), kind,
		func(s *observe.StageStatus, give func(float64, ...string)) { give(read(s)) }}
}

// partitionMetrics are about each instance of a stage that has several: they show which one has more to do than the
// others.
var partitionMetrics = []metric[observe.StageStatus]{
	partitionMetric(prometheus.CounterValue, "messages_in_total", "Messages that the partition has consumed, by commits.", func(s *observe.StageStatus) float64 { return float64(s.In) }),
	partitionMetric(prometheus.CounterValue, "messages_out_total", "Messages that the partition has emitted, by commits.", func(s *observe.StageStatus) float64 { return float64(s.Out) }),
	partitionMetric(prometheus.CounterValue, "dead_letters_total", "Messages of the partition that became dead letters.", func(s *observe.StageStatus) float64 { return float64(s.DeadLetters) }),
	partitionMetric(prometheus.CounterValue, "busy_seconds_total", "Time spent in the partition's functions, in this process.", func(s *observe.StageStatus) float64 { return s.BusySeconds }),
	partitionMetric(prometheus.GaugeValue, "lag_messages", "Messages that are committed upstream for the partition and not yet consumed.", func(s *observe.StageStatus) float64 { return float64(s.Lag) }),
	partitionMetric(prometheus.GaugeValue, "running", "1 when the partition runs or has ended, 0 when it is down.", running),
}

func channelMetric(kind prometheus.ValueType, name, help string, read func(c *observe.ChannelStatus) float64) metric[observe.ChannelStatus] {
	return metric[observe.ChannelStatus]{desc("channel_"+name, help, "pipeline", "stream", "reader"), kind,
		func(c *observe.ChannelStatus, give func(float64, ...string)) { give(read(c)) }}
}

// channelMetrics are about each stream and stage that reads it.
var channelMetrics = []metric[observe.ChannelStatus]{
	channelMetric(prometheus.CounterValue, "written_messages_total", "Messages committed to the stream.", func(c *observe.ChannelStatus) float64 { return float64(c.Written) }),
	channelMetric(prometheus.CounterValue, "taken_messages_total", "Messages of the stream that the reader has consumed.", func(c *observe.ChannelStatus) float64 { return float64(c.Taken) }),
	channelMetric(prometheus.GaugeValue, "lag_messages", "Lag of the reader: messages that it has not consumed yet.", func(c *observe.ChannelStatus) float64 { return float64(c.Lag()) }),
	channelMetric(prometheus.GaugeValue, "fill_ratio", "How full the channel is for the reader, from 0 to 1.", func(c *observe.ChannelStatus) float64 { return c.Fill }),
	channelMetric(prometheus.GaugeValue, "oldest_seconds", "Age of the reader's next message; 0 when none waits.", func(c *observe.ChannelStatus) float64 { return c.OldestSeconds }),
	channelMetric(prometheus.GaugeValue, "held", "1 while the reader's next message is held back: it answered Hold or Snooze.", func(c *observe.ChannelStatus) float64 { return boolFloat(c.Held) }),
	channelMetric(prometheus.GaugeValue, "stored_bytes", "Bytes that the channel stores now.", func(c *observe.ChannelStatus) float64 { return float64(c.StoredBytes) }),
}

func pipelineMetric(kind prometheus.ValueType, name, help string, read func(s *observe.Status) (float64, bool)) metric[observe.Status] {
	return metric[observe.Status]{desc(name, help, "pipeline"), kind, func(s *observe.Status, give func(float64, ...string)) {
		if v, ok := read(s); ok {
			give(v)
		}
	}}
}

func ofCheckpoint(read func(c *observe.CheckpointStatus) float64) func(*observe.Status) (float64, bool) {
	return func(s *observe.Status) (float64, bool) {
		if s.Checkpoint == nil {
			return 0, false
		}
		return read(s.Checkpoint), true
	}
}

func ofBroker(read func(b *observe.BrokerStatus) float64) func(*observe.Status) (float64, bool) {
	return func(s *observe.Status) (float64, bool) {
		if s.Broker == nil {
			return 0, false
		}
		return read(s.Broker), true
	}
}

func ofDisk(read func(d *observe.DiskStatus) float64) func(*observe.Status) (float64, bool) {
	return func(s *observe.Status) (float64, bool) {
		if s.Disk == nil {
			return 0, false
		}
		return read(s.Disk), true
	}
}

// pipelineMetrics are about the pipeline as a whole.
var pipelineMetrics = []metric[observe.Status]{
	pipelineMetric(prometheus.GaugeValue, "checkpoint_age_seconds", "Time since the last checkpoint that succeeded or had nothing to save.", ofCheckpoint(func(c *observe.CheckpointStatus) float64 { return c.AgeSeconds })),
	pipelineMetric(prometheus.GaugeValue, "checkpoint_duration_seconds", "Duration of the last checkpoint that saved something.", ofCheckpoint(func(c *observe.CheckpointStatus) float64 { return c.TookSeconds })),
	pipelineMetric(prometheus.GaugeValue, "checkpoint_store_bytes", "Size of the checkpoint store on disk.", ofCheckpoint(func(c *observe.CheckpointStatus) float64 { return float64(c.Bytes) })),
	pipelineMetric(prometheus.CounterValue, "checkpoints_total", "Checkpoints taken by this process.", ofCheckpoint(func(c *observe.CheckpointStatus) float64 { return float64(c.Taken) })),
	pipelineMetric(prometheus.CounterValue, "checkpoint_failures_total", "Checkpoints of this process that failed.", ofCheckpoint(func(c *observe.CheckpointStatus) float64 { return float64(c.Failed) })),
	pipelineMetric(prometheus.GaugeValue, "broker_connected", "1 while the NATS server is connected.", ofBroker(func(b *observe.BrokerStatus) float64 { return boolFloat(b.Connected) })),
	pipelineMetric(prometheus.CounterValue, "broker_reconnects_total", "Outages of the NATS server that ended, in this process.", ofBroker(func(b *observe.BrokerStatus) float64 { return float64(b.Reconnects) })),
	pipelineMetric(prometheus.GaugeValue, "disk_used_bytes", "Used space, by all programs, on the fullest disk that the pipeline writes to.", ofDisk(func(d *observe.DiskStatus) float64 { return float64(d.Used) })),
	pipelineMetric(prometheus.GaugeValue, "disk_free_bytes", "Free space on the fullest disk that the pipeline writes to.", ofDisk(func(d *observe.DiskStatus) float64 { return float64(d.Free) })),
	pipelineMetric(prometheus.GaugeValue, "disk_bound_bytes", "The sources wait when less than this is free.", ofDisk(func(d *observe.DiskStatus) float64 { return float64(d.Bound) })),
}

// histogramMetric is one histogram of each stage.
type histogramMetric struct {
	desc *prometheus.Desc
	read func(m *observe.StageMeasures) measure.Snapshot
}

var histogramMetrics = []histogramMetric{
	{desc("stage_call_seconds", "Duration of a call of the stage's functions.", "pipeline", "stage"), func(m *observe.StageMeasures) measure.Snapshot { return m.Calls }},
	{desc("stage_message_age_seconds", "Age of a message, by its time, when the commit that consumed it was on disk.", "pipeline", "stage"), func(m *observe.StageMeasures) measure.Snapshot { return m.Ages }},
	{desc("stage_commit_seconds", "Duration of a commit, until its frame is on disk.", "pipeline", "stage"), func(m *observe.StageMeasures) measure.Snapshot { return m.Commits }},
	{desc("stage_commit_messages", "Messages that a commit consumed; for a source, calls.", "pipeline", "stage"), func(m *observe.StageMeasures) measure.Snapshot { return m.Batches }},
}

// inputAges is the histogram of each channel.
var inputAges = desc("channel_message_age_seconds", "Age of a message of the stream, by its time, when the reader's commit that consumed it was on disk.", "pipeline", "stream", "reader")

func boolFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
