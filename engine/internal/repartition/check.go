package repartition

import (
	"fmt"
	"strings"

	"penstock/engine/frame"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/rule"
	"penstock/engine/internal/task"
	"penstock/internal/counted"
)

// Check says what of a stage cannot be moved: "" if everything can be. All instances of the run have stopped. A message
// of which the stage, or who reads it, has not committed the effect belongs to the partitions that it was written for.
func Check(r *task.Run, stage string) string {
	var left []string
	for _, in := range r.InstancesOf(stage) {
		left = append(left, ofInstance(in)...)
	}
	for _, in := range r.Instances {
		for k := range in.Edges {
			if e := &in.Edges[k]; e.From.Stage == stage && in.ID.Stage != stage && !in.Phase.IsEnded() {
				left = append(left, untaken(in, k)...)
			}
		}
	}
	if !rule.DrainBeforeMove {
		return ""
	}
	const most = 5
	if more := len(left) - most; more > 0 {
		left = append(left[:most], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(left, "; ")
}

func ofInstance(in *task.Instance) (left []string) {
	control, _ := in.Committed.Last()
	switch {
	case in.Phase.IsEnded():
		left = append(left, in.StageName()+" has ended, and other partitions have not")
	case control.EndPhase:
		left = append(left, in.StageName()+" is at its end, with some keys done and others not")
	}
	for k := range in.Edges {
		left = append(left, untaken(in, k)...)
	}
	for k := range control.Inputs {
		if p := &control.Inputs[k]; p.Stream == plan.ReplayStream && len(p.Waiting) > 0 {
			left = append(left, in.StageName()+" has dead letters that are replayed and wait for their next attempt")
		}
	}
	return left
}

// untaken tells of the messages of an edge that are not taken.
func untaken(in *task.Instance, edge int) []string {
	control, _ := in.Committed.Last()
	e, written := &in.Edges[edge], in.WrittenTo(edge)
	p := e.Position(control.Inputs)
	if p.Offset == written {
		return nil
	}
	text := fmt.Sprintf("%s has not taken %s of %s, %s%s", in.StageName(), counted.Things(written-p.Count(), "message"),
		e.Input.Stream, e.Message(p.Offset), first(written-p.Count()))
	return []string{text + why(in, edge, &p)}
}

func first(n uint64) string {
	if n == 1 {
		return ""
	}
	return " the first"
}

// why says why the messages still wait, as far as that is known.
func why(in *task.Instance, edge int, p *frame.Position) string {
	h := &in.Waiting.Heads[edge]
	switch {
	case h.Held.Load():
		return " (it is held, or put off)"
	case len(p.Waiting) > 0 || in.Task.Load().HasFailed(edge):
		return " (it has failed and waits for its next attempt)"
	}
	return ""
}
