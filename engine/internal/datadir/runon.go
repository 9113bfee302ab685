package datadir

import (
	"context"
	"slices"

	"penstock/engine/broker"
	"penstock/engine/channel"
)

// RunOn is what a channel on a server tells of the run that it belongs to.
type RunOn struct {
	ID    string // the Identity of its data directory; "": the channel does not tell
	Owner channel.Owner
}

// RunsOn are those of the channels of stages, one for each channel that is there.
func RunsOn(ctx context.Context, b *broker.Broker, pipeline string, stages []string) (list []RunOn, err error) {
	for _, stage := range stages {
		ch, found, err := channel.Lookup(ctx, b, pipeline, stage)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		owner, err := ch.Owner()
		if err != nil {
			return nil, err
		}
		list = append(list, RunOn{ch.Identity(), owner})
	}
	return list, nil
}

// OtherThan is the first run that another data directory has made; found is false if there is none.
func OtherThan(id string, runs []RunOn) (other RunOn, found bool) {
	k := slices.IndexFunc(runs, func(r RunOn) bool { return r.ID != "" && r.ID != id })
	if k < 0 {
		return RunOn{}, false
	}
	return runs[k], true
}

// Directory names the data directory of the run, which is not this one.
func (r RunOn) Directory() string {
	if !r.Owner.IsKnown() {
		return "another data directory"
	}
	return "another data directory (" + r.Owner.Place() + ")"
}
