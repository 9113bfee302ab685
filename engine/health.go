package engine

import (
	"context"

	"penstock/engine/internal/answer"
	"penstock/engine/internal/plan"
	"penstock/engine/supervise"
)

// HealthOf is the answer of a health check to an error: healthy for nil, degraded
// for Unavailable, because a restart brings nothing back that is away, and
// unhealthy for any other.
func HealthOf(err error) supervise.Health {
	switch {
	case err == nil:
		return supervise.Well()
	case answer.IsUnavailable(err):
		return supervise.Degraded(err.Error())
	}
	return supervise.Unwell(err.Error())
}

// checksOf are those of a stage. For a probe as for any function of a stage
// Unavailable is no failure.
func checksOf(o plan.Options) []supervise.Check {
	checks := append([]supervise.Check(nil), o.Checks...)
	for k := range checks {
		probe := checks[k].Probe
		if probe == nil {
			continue
		}
		checks[k].Probe = func(ctx context.Context) (health supervise.Health) {
			defer func() {
				value := recover()
				if value == nil {
					return
				}
				err, _ := value.(error)
				if !answer.IsUnavailable(err) {
					panic(value)
				}
				health = HealthOf(err)
			}()
			return probe(ctx)
		}
	}
	return checks
}
