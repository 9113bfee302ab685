package observe

import "time"

// DiskStatus is how full the disk of the data directory is.
type DiskStatus struct {
	State string `json:"state"` // "enough"; "low": the sources wait; "full": all stages wait
	Path  string `json:"path"`  // a directory on the disk
	Used  int64  `json:"used"`  // bytes, of all programs
	Free  int64  `json:"free"`  // bytes that are left for the pipeline
	Bound int64  `json:"bound"` // bytes that have to be free
}

// CheckpointStatus is how the states are kept.
type CheckpointStatus struct {
	Taken       uint64        `json:"taken"` // in this process
	Failed      uint64        `json:"failed"`
	Age         time.Duration `json:"-"`            // since the last one that succeeded, or found nothing new
	AgeSeconds  float64       `json:"age_seconds"`  // the same
	Took        time.Duration `json:"-"`            // the last one with something new
	TookSeconds float64       `json:"took_seconds"` // the same
	Bytes       int64         `json:"bytes"`        // on disk, of all stages
}
