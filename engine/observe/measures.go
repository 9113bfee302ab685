package observe

import "penstock/engine/measure"

// StageMeasures are the histograms of a stage since the process began. The
// difference of two tells of the time between them; see measure.Snapshot.
type StageMeasures struct {
	Stage string
	// Calls is how long a call of the stage's functions took, in seconds. Calls of
	// less than a millisecond are measured sixteen at a time, or as many as take a
	// tenth of one, up to 512, and count as their average; but when one of them stalls it counts for
	// itself.
	Calls measure.Snapshot
	// Ages is how old a message was when the commit that took it was on disk, in
	// seconds since its Time: the latency from end to end. Of messages whose calls
	// are measured together the last of each input is looked at.
	Ages measure.Snapshot
	// Inputs has the same of each stream that the stage reads, in their order, and
	// without dead letters that came back.
	Inputs []InputMeasures
	// Commits is how long a frame took to be on disk, in seconds.
	Commits measure.Snapshot
	// Batches is how many messages a commit took; of a source, how many calls.
	Batches measure.Snapshot
}

// InputMeasures are the histograms of what a stage takes of one stream.
type InputMeasures struct {
	Stream string // "stage" or "stage/branch"
	Ages   measure.Snapshot
}
