//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"time"
)

// restart is how soon a killed process went on, in seconds since before its
// exec.
type restart struct {
	Ready  float64 `json:"ready"`  // every stage is open
	Commit float64 `json:"commit"` // the keyed stage has its first new commit
	CPU    float64 `json:"cpu"`    // seconds of CPU time until then
	Keyed  uint64  `json:"keyed"`  // messages that it had taken before
}

const loadPatience = 10 * time.Minute

// restart gives a pipeline its keys, and then kills and starts it.
func (r *report) restart(ctx context.Context, work string, progress io.Writer) error {
	s := r.Settings
	log := io.Discard
	if s.verbose {
		log = progress
	}
	t := task{Dir: filepath.Join(work, "data"), Keys: s.Keys, Verbose: s.verbose, Every: time.Second / 4}
	random := rand.New(rand.NewPCG(s.Seed, 13))
	p, err := launch(ctx, t, log)
	if err != nil {
		return err
	}
	if err := untilLoaded(p, s.Keys); err != nil {
		return err
	}
	fmt.Fprintf(progress, "%d keys after %s\n", s.Keys, time.Since(p.Began).Round(time.Second/10))
	for k := range s.Restarts {
		// Between two checkpoints, and after many of them.
		if err := (&subject{}).listen(p, time.Second/4+time.Duration(random.Int64N(int64(3*time.Second)))); err != nil {
			return err
		}
		p.kill(nil)
		if s.profile != "" {
			t.Profile = fmt.Sprintf("%s.%d", s.profile, k+1)
		}
		if p, err = launch(ctx, t, log); err != nil {
			return err
		}
		one, err := p.restarted()
		if err != nil {
			return fmt.Errorf("restart %d: %w", k+1, err)
		}
		fmt.Fprintf(progress, "restart %d: open after %.0f ms, first new commit after %.0f ms, %.0f ms of CPU time\n", k+1, one.Ready*1000, one.Commit*1000, one.CPU*1000)
		r.Restarts = append(r.Restarts, one)
	}
	result, err := p.finish(nil)
	if err != nil {
		return err
	}
	r.Result = &result
	return nil
}

// restarted waits for its first new commit.
func (p *process) restarted() (r restart, err error) {
	ready, err := p.await(saysReady, nil)
	if err != nil {
		return r, err
	}
	committed, err := p.await(saysCommitted, nil)
	if err != nil {
		return r, err
	}
	r.Ready, r.Commit = ready.at.Sub(p.Began).Seconds(), committed.at.Sub(p.Began).Seconds()
	r.Keyed, r.CPU = ready.milestone().Taken, committed.milestone().CPU
	return r, nil
}

// milestone is that of a line of a child that knows how to write one.
func (s saying) milestone() (m milestone) {
	_ = json.Unmarshal(s.data, &m)
	return m
}

// untilLoaded waits until each key has a state.
func untilLoaded(p *process, keys uint64) error {
	for end := time.Now().Add(loadPatience); time.Now().Before(end); {
		said, err := p.await(saysTaken, nil)
		if err != nil {
			return err
		}
		if said.milestone().Taken >= keys {
			return nil
		}
	}
	return fmt.Errorf("the keys were not all there after %s", loadPatience)
}
