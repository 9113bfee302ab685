package engine

import (
	"penstock/engine/internal/compiled"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/task"
)

func init() {
	compiled.Of = func(pipeline any) (*plan.Pipeline, map[*plan.Stage]task.Functions) {
		p := pipeline.(*Pipeline)
		return p.plan, p.codes
	}
}
