package engine

import (
	"penstock/engine/internal/answer"
	"penstock/engine/supervise"
)

// HealthOf is the answer of a health check to an error: healthy for nil, degraded
// for Unavailable, because a restart brings nothing back that is away, and
// unhealthy for any other.
func HealthOf(err error) supervise.Health {
	switch err = supervise.Sound(err); {
	case err == nil:
		return supervise.Well()
	case answer.IsUnavailable(err):
		return supervise.Degraded(err.Error())
	}
	return supervise.Unwell(err.Error())
}
