package engine

import (
	"penstock/engine/internal/answer"
	"penstock/engine/supervise"
)

// HealthOf is the answer of a health check to an error: healthy for nil, degraded
// for Unavailable, because a restart brings nothing back that is away, and
// unhealthy for any other.
func HealthOf(err error) supervise.Health {
	if err = supervise.Sound(err); err == nil {
		return supervise.Well()
	}
	health := supervise.Unwell(err.Error())
	if answer.IsUnavailable(err) {
		health.Level = supervise.LevelDegraded
	}
	health.Err = err
	return health
}
