package task

import (
	"context"
	"errors"

	"penstock/engine/internal/answer"
	"penstock/engine/internal/plan"
	"penstock/engine/supervise"
)

// SupervisorOf makes the supervision tree of a group.
func (r *Run) SupervisorOf(g *plan.Group) *supervise.Supervisor {
	s := &supervise.Supervisor{
		Name:       g.Name,
		Strategy:   g.Settings.Strategy,
		Limit:      g.Settings.Limit,
		OnChildEnd: g.Settings.OnChildEnd,
	}
	for _, m := range g.Members {
		if m.Group != nil {
			s.Children = append(s.Children, supervise.Child{
				Name:    m.Group.Name,
				Group:   r.SupervisorOf(m.Group),
				Policy:  m.Group.Settings.Policy,
				Backoff: m.Group.Settings.Backoff,
			})
			continue
		}
		for _, in := range r.InstancesOf(m.Stage.Name) {
			s.Children = append(s.Children, in.child())
		}
	}
	return s
}

func (in *Instance) child() supervise.Child {
	o := in.Definition.Options
	c := supervise.Child{
		Name:           in.StageName(),
		Serve:          in.serve,
		Policy:         o.Policy,
		Backoff:        o.Backoff,
		Limit:          o.Limit,
		Progress:       in.Progress.healthy.Load,
		Checks:         in.Run.checksOf(o),
		StopTimeout:    o.StopTimeout,
		Abandon:        in.Abandon,
		Recover:        in.decide,
		RecoverTimeout: o.RecoverTime,
	}
	if o.Deadline > 0 {
		c.Checks = append(c.Checks, in.watchdog(o.Deadline))
	}
	return c
}

// checksOf are those of a stage. For a probe as for any function of a stage
// Unavailable is no failure. What an error names is in the words of the program.
func (r *Run) checksOf(o plan.Options) []supervise.Check {
	checks := append([]supervise.Check(nil), o.Checks...)
	for k := range checks {
		probe := checks[k].Probe
		if probe == nil {
			continue
		}
		checks[k].Probe = func(ctx context.Context) (health supervise.Health) {
			err := supervise.Contain(func() error {
				health = probe(ctx)
				return nil
			})
			var panicked *supervise.PanicError
			switch errors.As(err, &panicked); {
			case panicked == nil:
			case answer.IsUnavailable(err):
				err, _ := panicked.Value.(error)
				return supervise.Degraded(r.Explain(err))
			default:
				panic(panicked.Value)
			}
			if health.Err != nil {
				health.Reason = r.Explain(health.Err)
			}
			return health
		}
	}
	return checks
}
