//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"
)

// subject is one of the two pipelines of a soak.
type subject struct {
	settings
	name   string
	dir    string
	sync   time.Duration
	began  time.Time
	log    io.Writer
	result subjectReport
}

// soak runs both pipelines side by side.
func (r *report) soak(ctx context.Context, work string, progress io.Writer) error {
	began := time.Now()
	log := io.Discard
	if r.Settings.verbose {
		log = progress
	}
	of := func(name string, sync time.Duration) *subject {
		return &subject{settings: r.Settings, name: name, dir: filepath.Join(work, name), sync: sync, began: began, log: log,
			result: subjectReport{Name: name, Sync: syncName(sync)}}
	}
	alive, killed := of("alive", 0), of("killed", 2*time.Second)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var both sync.WaitGroup
	var errs [2]error
	for k, run := range []func(context.Context) error{alive.live, killed.die} {
		both.Go(func() {
			if errs[k] = run(ctx); errs[k] != nil {
				cancel()
			}
		})
	}
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	for _, s := range []*subject{alive, killed} {
		s.result.judge(r.Settings.Warmup.Hours())
		r.Subjects = append(r.Subjects, s.result)
	}
	return nil
}

func syncName(interval time.Duration) string {
	if interval == 0 {
		return "always"
	}
	return "every " + interval.String()
}

func (s *subject) task() task {
	every := s.Every
	return task{Dir: s.dir, Seed: s.Seed, Rate: s.Rate, Keys: s.Keys, Sync: s.sync, Every: every, Verbose: s.verbose,
		Harm: s.Harm}
}

// hear keeps the samples.
func (s *subject) hear(said saying) {
	if said.verb != saysSample {
		return
	}
	sample := sample{Hours: said.at.Sub(s.began).Hours()}
	if json.Unmarshal(said.data, &sample.Values) == nil {
		s.result.Samples = append(s.result.Samples, sample)
	}
}

// live runs one process for the whole time.
func (s *subject) live(ctx context.Context) error {
	p, err := launch(ctx, s.task(), s.log)
	if err != nil {
		return err
	}
	if err := s.listen(p, s.Duration); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return s.conclude(p)
}

// listen hears the child for a while. An error says that it has ended.
func (s *subject) listen(p *process, length time.Duration) error {
	end := time.NewTimer(length)
	defer end.Stop()
	for {
		select {
		case said, open := <-p.said:
			if !open {
				return p.failure()
			}
			s.hear(said)
		case <-end.C:
			return nil
		}
	}
}

func (s *subject) conclude(p *process) error {
	r, err := p.finish(nil) // what it uses as it drains tells nothing
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	s.result.Result = r
	return nil
}

// die runs one process after the other, each killed after a while; the last one
// comes to its end.
func (s *subject) die(ctx context.Context) error {
	random := rand.New(rand.NewPCG(s.Seed, 11))
	t := s.task()
	for {
		p, err := launch(ctx, t, s.log)
		if err != nil {
			return err
		}
		said, err := p.await(saysCommitted, s.hear)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if t.Killed {
			s.result.Restarts = append(s.result.Restarts, said.at.Sub(p.Began).Seconds())
		}
		left := s.Duration - time.Since(s.began)
		life := s.Kills/2 + time.Duration(random.Int64N(int64(s.Kills)))
		if err := s.listen(p, max(min(life, left), 0)); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if left <= life {
			return s.conclude(p)
		}
		p.kill(s.hear)
		t.Killed, t.Seed = true, t.Seed+1
	}
}
