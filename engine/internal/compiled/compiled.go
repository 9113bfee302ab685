package compiled

import (
	"penstock/engine/internal/plan"
	"penstock/engine/internal/task"
)

// Of a *engine.Pipeline. Package engine sets it.
var Of func(pipeline any) (*plan.Pipeline, map[*plan.Stage]task.Functions)
