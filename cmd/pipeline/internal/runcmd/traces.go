package runcmd

import "penstock/telemetry"

// trace has the run send traces, if the OTEL_ variables ask for that. stop sends
// what is left. Variables that cannot be followed are no reason not to run.
func (s *session) trace() (stop func()) {
	traces, err := telemetry.TracesFromEnvironment(s.pipeline.Name(), s.Log)
	if err != nil {
		s.Log.Warn("no traces are sent", "error", err)
	}
	s.config.Tracer = traces.Tracer()
	return traces.Close
}
