package engine

import (
	"time"

	"penstock/engine/frame"
	"penstock/engine/internal/task"
	"penstock/engine/internal/waits"
	"penstock/engine/observe"
	"penstock/engine/redact"
	"penstock/engine/supervise"
)

// Status returns the state of the run under way, else of the last one in this
// process. Safe for concurrent use.
func (p *Pipeline) Status() observe.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.current != nil:
		return p.current.status()
	case p.final != nil:
		return *p.final
	}
	return observe.Status{Pipeline: p.plan.Name}
}

func (r *run) status() observe.Status {
	s := observe.Status{Pipeline: r.Plan.Name, Elapsed: time.Since(r.started)}
	s.Waits = waits.Told(r.Waits.List(r.Clock.Now(), r.config.WaitPatience))
	if !r.Ready.Load() {
		return s
	}
	s.Reopened = r.reopened
	s.Disk = r.Space.Status()
	children := map[string]supervise.ChildStatus{}
	task.Index(children, r.Supervisor.Status())
	s.Completed = true
	for instances := range r.ByStage() {
		stage := stageStatus(instances, children)
		s.Completed = s.Completed && stage.Ended
		s.Stages = append(s.Stages, stage)
		s.Channels = append(s.Channels, channelsOf(instances)...)
	}
	s.Checkpoint, s.Broker = r.Checkpointer.Past.Status(), r.brokerStatus()
	for _, g := range r.Plan.Groups {
		child := children[g.Name]
		status := observe.GroupStatus{Name: g.Name, Group: g.Parent.Path(), Strategy: g.Settings.Strategy.String(), State: child.State.String()}
		for _, n := range child.Restarts {
			status.Restarts += n
		}
		s.Groups = append(s.Groups, status)
	}
	return s
}

func stageStatus(instances []*task.Instance, children map[string]supervise.ChildStatus) observe.StageStatus {
	list := make([]observe.StageStatus, len(instances))
	for k, in := range instances {
		list[k] = statusOf(in, children[in.StageName()])
	}
	if len(list) == 1 {
		return list[0]
	}
	return observe.OfPartitions(instances[0].Definition.Name, list)
}

func statusOf(in *task.Instance, child supervise.ChildStatus) observe.StageStatus {
	control, _ := in.Committed.Last()
	s := observe.StageStatus{
		Name:  in.StageName(),
		Kind:  in.Definition.Kind,
		Group: in.Definition.Group.Path(),
		State: child.State.String(),
		Ended: in.Phase.IsEnded(),
		Epoch: control.Epoch,
		Busy:  time.Duration(in.Observed.Stats.Busy.Load()),
	}
	s.BusySeconds = s.Busy.Seconds()
	s.StageCounts = countsOf(in, control)
	switch child.State {
	case supervise.StateStarting, supervise.StateRunning, supervise.StateStopping:
		s.Uptime = time.Since(child.Started)
		s.UptimeSeconds = s.Uptime.Seconds()
	}
	if len(in.Definition.Options.Checks) > 0 || in.Definition.Options.Deadline > 0 {
		s.Health = redact.Text(child.Health.String())
	}
	if in.Callout.Breaker != nil {
		s.Breaker = in.Callout.Breaker.State().String()
	}
	s.StateBytes, s.StateLimit, s.LargeStates = int64(len(control.State.Whole)), int64(in.Format.Limits.Frame), in.Observed.LargeStates.Load()
	s.Waits = waits.Told(in.WaitsNow(in.Run.Clock.Now()))
	s.In = in.Progress.Before.In
	for k := range in.Edges {
		position := positionOf(in, k, control)
		taken := position.Count()
		s.In += taken
		s.Waiting += len(position.Waiting)
		if written := in.WrittenTo(k); written > taken {
			s.Lag += written - taken
		}
	}
	return s
}

// countsOf are the counts, but for In.
func countsOf(in *task.Instance, control frame.Frame) observe.StageCounts {
	c := observe.StageCounts{
		Out: in.Emitted(), Commits: control.Commit,
		DeadLetters: control.Tally.Total(), Dropped: control.Tally.Dropped, Foreign: in.Observed.Foreign.Count.Load(),
	}
	c.LifeCounts, c.RestartsBy = in.Observed.Stats.ReadAll()
	for _, l := range control.Tally.Letters {
		if c.DeadLettersBy == nil {
			c.DeadLettersBy = map[string]uint64{}
		}
		c.DeadLettersBy[l.Reason] = l.Count
	}
	return c
}

// positionOf is how far an input is taken.
func positionOf(in *task.Instance, input int, control frame.Frame) frame.Position {
	for k := range control.Inputs {
		if in.Edges[input].IsOf(&control.Inputs[k]) {
			return control.Inputs[k]
		}
	}
	return frame.Position{Offset: in.Progress.Taken[input].Load()}
}
