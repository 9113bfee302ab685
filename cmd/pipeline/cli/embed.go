package cli

import (
	"penstock/cmd/pipeline/control"
	"penstock/engine"
)

// WithControl is [control.With], for a program that has this package anyway: a run that Main does
// not start can be asked by state, dlq, events and doctor while it runs.
func WithControl(p *engine.Pipeline, config engine.Config) engine.Config {
	return control.With(p, config)
}
