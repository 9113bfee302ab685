// Package observe has what a pipeline reports about itself, as plain data. It does nothing by itself.
//
// What a running pipeline answers:
//
//   - [Status], of engine's Pipeline.Status: the stages ([StageStatus], with its [StageCounts]), the groups, the
//     channels between stages, the disk, the checkpoints and the NATS server. What waits is told as a [Wait].
//   - [StageMeasures], of Pipeline.Measures: histograms of calls, ages of messages, and commits.
//   - [Message], of Pipeline.Peek: a message as it lies in a channel.
//
// What it answers without a run: [Graph], of Pipeline.Graph. What it keeps: [StageEvent], of Pipeline.History.
//
// [StageCounters] names each count of a stage once, for all who show them.
package observe
