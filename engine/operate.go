package engine

import (
	"context"
	"fmt"
	"penstock/engine/observe"
)

// RestartStage stops a stage or group of the running pipeline and starts it
// again from its last commit; one that was given up or stopped is started. No
// limit counts it. Safe for concurrent use.
func (p *Pipeline) RestartStage(ctx context.Context, name string) error {
	r, err := p.serving()
	if err != nil {
		return fmt.Errorf("stage %s: %w", name, err)
	}
	return wrapCommand("restart", name, r.Supervisor.RestartChild(ctx, name))
}

// StopStage stops a stage or group of the running pipeline, at its last commit.
// Its messages wait for it, and Run does not return before it is started again,
// or its context done. Safe for concurrent use.
func (p *Pipeline) StopStage(ctx context.Context, name string) error {
	r, err := p.serving()
	if err != nil {
		return fmt.Errorf("stage %s: %w", name, err)
	}
	return wrapCommand("stop", name, r.Supervisor.StopChild(ctx, name))
}

// StartStage starts a stage or group that was stopped or given up. Safe for
// concurrent use.
func (p *Pipeline) StartStage(ctx context.Context, name string) error {
	r, err := p.serving()
	if err != nil {
		return fmt.Errorf("stage %s: %w", name, err)
	}
	return wrapCommand("start", name, r.Supervisor.StartChild(ctx, name))
}

// serving returns the run that is on, once every instance is open.
func (p *Pipeline) serving() (*run, error) {
	p.mu.Lock()
	r := p.current
	p.mu.Unlock()
	if r == nil || !r.Ready.Load() {
		return nil, fmt.Errorf("pipeline %s is not running", p.plan.Name)
	}
	return r, nil
}

func wrapCommand(what, name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s stage %s: %w", what, name, err)
	}
	return nil
}

// Measures returns the histograms of the stages of the run under way, producers
// before readers, or nothing. Safe for concurrent use.
func (p *Pipeline) Measures() []observe.StageMeasures {
	r, err := p.serving()
	if err != nil {
		return nil
	}
	return r.Measures()
}
