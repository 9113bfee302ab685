//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
)

// childVerb is the argument that makes this program a child: another one with
// its task follows.
const childVerb = "-child"

// task is what a child is to do.
type task struct {
	Dir     string        `json:"dir"`
	Seed    uint64        `json:"seed"`
	Rate    uint64        `json:"rate"` // 0: a pipeline with a backlog, for its restarts
	Keys    uint64        `json:"keys"`
	Sync    time.Duration `json:"sync"`
	Harm    time.Duration `json:"harm"`   // between two
	Every   time.Duration `json:"every"`  // between two samples; 0: none
	Killed  bool          `json:"killed"` // some before it were
	Verbose bool          `json:"verbose"`
	Profile string        `json:"profile"` // file for that of the time until the first new commit
}

// What a child says, in lines of a verb and JSON.
const (
	saysReady     = "ready"
	saysCommitted = "committed" // for the first time in this process
	saysSample    = "sample"
	saysTaken     = "taken" // so many messages, of a pipeline with a backlog
	saysResult    = "result"
)

// milestone is where a child is.
type milestone struct {
	Taken uint64  `json:"taken"` // messages, by the stage that is looked at
	CPU   float64 `json:"cpu"`   // seconds that the process has used
}

// result is what a completed child found.
type result struct {
	IDs    uint64            `json:"ids"`
	Harms  uint64            `json:"harms"` // done by this process
	Stages []json.RawMessage `json:"stages"`
	Wrong  string            `json:"wrong,omitempty"`
}

// child is a process with a pipeline.
type child struct {
	task task
	p    *engine.Pipeline
	out  sync.Mutex
	to   io.Writer

	end      func()                                         // lets the sources end
	check    func(observe.Status) (n uint64, err error)     // of a completed run
	profiled func()                                         // ends the profile
	harm     *harm                                          // nil: none is done
	after    func(status observe.Status) (committed uint64) // what must grow for a new commit
}

// runChild is the main function of a child. It runs the pipeline until in ends,
// lets that come to its end, and returns the exit code.
func runChild(argument string, in io.Reader, out io.Writer) int {
	c := &child{to: out}
	err := json.Unmarshal([]byte(argument), &c.task)
	if err == nil {
		err = c.run(in)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak child:", err)
		return 1
	}
	return 0
}

func (c *child) build() {
	if c.task.Rate == 0 {
		b := &backlog{keys: c.task.Keys}
		c.p, c.end, c.after = b.pipeline(), func() { b.ending.Store(true) }, takenBy("accounts")
		c.check = func(observe.Status) (uint64, error) { return b.check(context.Background(), c.task.Dir) }
		return
	}
	w := &workload{rate: c.task.Rate, keys: c.task.Keys}
	w.harm = newHarm(c.task.Seed, c.task.Harm, func(ctx context.Context, stage string) error { return c.p.RestartStage(ctx, stage) })
	c.p, c.harm, c.end, c.after = w.pipeline(), w.harm, func() { w.ending.Store(true) }, takenBy("accounts")
	c.check = func(status observe.Status) (uint64, error) {
		return checkResult(context.Background(), c.task.Dir, c.task.Keys, status, c.task.Killed)
	}
}

func takenBy(stage string) func(observe.Status) uint64 {
	return func(status observe.Status) uint64 {
		for _, s := range status.Stages {
			if s.Name == stage {
				return s.In
			}
		}
		return 0
	}
}

// Bounds of what grows by design: dead letters are kept for a while.
const (
	letterAge   = 20 * time.Second
	letterBytes = 64 << 20
)

func (c *child) run(in io.Reader) error {
	if err := c.profile(); err != nil {
		return err
	}
	c.build()
	level := slog.LevelError
	if c.task.Verbose {
		level = slog.LevelInfo
	}
	go func() { // ends with the process: a read of the input cannot be interrupted
		_, _ = io.Copy(io.Discard, in)
		c.end()
	}()
	ctx, cancel := context.WithCancel(context.Background())
	var beside sync.WaitGroup
	err := c.p.Run(ctx, engine.Config{
		Dir: c.task.Dir, Sync: c.task.Sync, DeadLetterAge: letterAge, DeadLetterBytes: letterBytes,
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
		OnReady: func() error { c.begin(ctx, &beside); return nil },
		OnStop:  func() { cancel(); beside.Wait() },
	})
	cancel()
	beside.Wait()
	if err != nil {
		return err
	}
	return c.conclude()
}

// begin starts what runs beside the pipeline.
func (c *child) begin(ctx context.Context, beside *sync.WaitGroup) {
	before := c.after(c.p.Status())
	c.say(saysReady, milestone{before, cpuTime()})
	beside.Go(func() {
		if c.awaitCommit(ctx, before) && c.harm != nil {
			c.harm.serve(ctx)
		}
	})
	if c.task.Every > 0 {
		beside.Go(func() { c.measure(ctx) })
	}
}

// awaitCommit says when there is a new commit.
func (c *child) awaitCommit(ctx context.Context, before uint64) bool {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		if now := c.after(c.p.Status()); now > before {
			c.profiled()
			c.say(saysCommitted, milestone{now, cpuTime()})
			return true
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return false
		}
	}
}

func (c *child) measure(ctx context.Context) {
	tick := time.NewTicker(c.task.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if c.harm == nil {
			c.say(saysTaken, milestone{c.after(c.p.Status()), cpuTime()})
			continue
		}
		values := map[string]float64{}
		useOfProcess(values)
		useOfDisk(c.task.Dir, values)
		for _, s := range c.p.Status().Stages {
			values[waiting] += float64(s.Lag)
		}
		c.say(saysSample, values)
	}
}

// conclude checks a run that has ended.
func (c *child) conclude() error {
	status := c.p.Status()
	if !status.Completed {
		return errors.New("the run returned and is not complete")
	}
	var r result
	n, err := c.check(status)
	r.IDs = n
	if err != nil {
		r.Wrong = err.Error()
	}
	if c.harm != nil {
		r.Harms = c.harm.total()
	}
	for _, s := range status.Stages {
		data, err := json.Marshal(s)
		if err != nil {
			return err
		}
		r.Stages = append(r.Stages, data)
	}
	c.say(saysResult, r)
	return nil
}

func (c *child) say(verb string, what any) {
	data, err := json.Marshal(what)
	if err != nil {
		panic(err) // numbers and strings
	}
	c.out.Lock()
	defer c.out.Unlock()
	fmt.Fprintf(c.to, "%s %s\n", verb, data)
}

// profile begins to profile this process, until profiled.
func (c *child) profile() error {
	c.profiled = func() {}
	if c.task.Profile == "" {
		return nil
	}
	file, err := os.Create(c.task.Profile)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return errors.Join(err, file.Close())
	}
	c.profiled = func() { pprof.StopCPUProfile(); _ = file.Close() }
	return nil
}
