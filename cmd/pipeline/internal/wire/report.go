package wire

import (
	"penstock/engine/observe"
)

// StatusReport is what a pipeline did, for programs.
type StatusReport struct {
	observe.Status
	ElapsedSeconds float64 `json:"elapsed_seconds"`
}

// ReportOf is the report of a status.
func ReportOf(status observe.Status) StatusReport {
	if status.Stages == nil {
		status.Stages = []observe.StageStatus{}
	}
	return StatusReport{Status: status, ElapsedSeconds: status.Elapsed.Seconds()}
}
