package engine

import (
	"encoding/json"

	"penstock/engine/internal/plan"
	"penstock/engine/internal/shape"
	"penstock/engine/internal/task"
)

// ErrNoState says that there is no such stage, or no such key.
var ErrNoState = shape.ErrNoState

// State gives the committed state of a stage of the running pipeline as JSON:
// once with the key "" for a stage with one state, and for a keyed stage once
// for each key, in order. fn's error stops it. Safe for concurrent use.
//
// CBOR is shown as package cborjson does it. A state whose codec is not known is
// given as an object with the codec's name and the bytes in base64.
func (p *Pipeline) State(stage string, fn func(key string, state json.RawMessage) error) error {
	instances, err := p.running(stage)
	if err != nil {
		return err
	}
	return eachState(instances, fn)
}

// StateOf gives the committed state of one key of a keyed stage of the
// running pipeline; see State.
func (p *Pipeline) StateOf(stage, key string) (json.RawMessage, error) {
	instances, err := p.running(stage)
	if err != nil {
		return nil, err
	}
	in := instances[plan.PartitionOf(plan.GroupOf(key), len(instances))]
	return in.Shape().One(in.Committed, key)
}

// eachState calls fn with the states of all partitions, one partition after the other.
func eachState(instances []*task.Instance, fn func(key string, state json.RawMessage) error) error {
	for _, in := range instances {
		if err := in.Shape().Each(in.Committed, fn); err != nil {
			return err
		}
	}
	return nil
}

// running returns the instances of a stage of the pipeline, which must run.
func (p *Pipeline) running(stage string) ([]*task.Instance, error) {
	r, err := p.serving()
	if err != nil {
		return nil, err
	}
	if p.plan.Stage(stage) == nil {
		return nil, shape.NoStage(p.plan.Name, stage, p.plan.StageNames())
	}
	return r.InstancesOf(stage), nil
}
