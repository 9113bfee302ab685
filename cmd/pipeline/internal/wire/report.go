package wire

import "penstock/engine"

// StatusReport is what a pipeline did, for programs.
type StatusReport struct {
	engine.Status
	ElapsedSeconds float64 `json:"elapsed_seconds"`
}

// ReportOf is the report of a status.
func ReportOf(status engine.Status) StatusReport {
	if status.Stages == nil {
		status.Stages = []engine.StageStatus{}
	}
	return StatusReport{Status: status, ElapsedSeconds: status.Elapsed.Seconds()}
}
