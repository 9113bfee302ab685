// Package compiled hands out what a pipeline of package engine was compiled to. The simulation of the protocol runs
// that without a server, a disk and a clock. The public engine.Pipeline does not show it.
package compiled

import (
	"penstock/engine/internal/plan"
	"penstock/engine/internal/task"
)

// Of a *engine.Pipeline. Package engine sets it.
var Of func(pipeline any) (*plan.Pipeline, map[*plan.Stage]task.Functions)
