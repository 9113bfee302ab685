package supervise_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"penstock/engine/supervise"
)

// plan is everything that is drawn for one check.
type plan struct {
	root     *node
	cut      time.Duration // when everything is stopped; 0: long after the last fault
	commands []command
}

// part is one life of a child, as it is to be played.
type part struct {
	up       bool // it says when it is running
	late     bool // it says so when it stops, which nobody should care about
	run      time.Duration
	end      outcome
	stop     time.Duration // how long it takes to stop; forever: until it is released
	farewell outcome       // how it ends then
}

// answer is what a recovery function or a probe is to say.
type answer struct {
	after    time.Duration
	decision supervise.Decision
	health   supervise.Level
	how      outcome // fails: it says what stands here, panics: it panics, hangs: it waits until it is released
}

type command struct {
	after  time.Duration
	do     order
	target *node
}

// script is what a child has been told to do. What is used up is not repeated: further lives run until they are stopped.
type script struct {
	parts   []part
	recover []answer // nil: no recovery function
	probes  []answer // nil: no check
	patient int      // so many times the child may not be abandoned yet
}

func drawPlan(t *rapid.T) plan {
	p := plan{root: &node{}}
	drawGroup(t, p.root, 1)
	if rapid.IntRange(0, 3).Draw(t, "cut short") == 3 {
		p.cut = drawTime(t, "cut", 1, 600)
	}
	var all []*node
	p.root.walk(func(n *node) { all = append(all, n) })
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 4}).Draw(t, "commands") {
		p.commands = append(p.commands, command{
			after:  drawTime(t, "after", 0, 100),
			do:     rapid.SampledFrom([]order{restartIt, stopIt, startIt}).Draw(t, "order"),
			target: rapid.SampledFrom(all[1:]).Draw(t, "target"),
		})
	}
	return p
}

// drawTime draws tenths of a second, so that some things happen at the same time.
func drawTime(t *rapid.T, label string, from, to int) time.Duration {
	return time.Duration(rapid.IntRange(from, to).Draw(t, label)) * 100 * time.Millisecond
}

func drawLimit(t *rapid.T) supervise.Limit {
	return supervise.Limit{
		Restarts: rapid.SampledFrom([]int{-1, 0, 1, 1, 2, 3, 8}).Draw(t, "limit"),
		Window:   drawTime(t, "window", 0, 200),
	}
}

func drawGroup(t *rapid.T, n *node, depth int) {
	n.group = true
	n.strategy = rapid.SampledFrom([]supervise.Strategy{supervise.OneForOne, supervise.OneForAll, supervise.RestForOne}).Draw(t, "strategy")
	n.limit = drawLimit(t)
	for i := range rapid.IntRange(1, 5).Draw(t, "children") {
		k := n.add(fmt.Sprintf("%c%d", 'a'+rune(i), depth))
		k.policy = rapid.SampledFrom([]supervise.Policy{supervise.Transient, supervise.Transient, supervise.Permanent, supervise.Temporary}).Draw(t, "policy")
		k.backoff = supervise.Backoff{
			Initial:    rapid.SampledFrom([]time.Duration{-1, 0, 500 * time.Millisecond, time.Second}).Draw(t, "initial"),
			Max:        4 * time.Second,
			Multiplier: rapid.SampledFrom([]float64{1, 2}).Draw(t, "multiplier"),
			Jitter:     -1,
			Quiet:      drawTime(t, "quiet", 0, 60),
		}
		if rapid.IntRange(0, 4).Draw(t, "own limit") == 4 {
			l := drawLimit(t)
			k.own = &l
		}
		if depth < 3 && rapid.IntRange(0, 3).Draw(t, "group") == 3 {
			drawGroup(t, k, depth+1)
		} else {
			drawScript(t, k)
		}
		if rapid.IntRange(0, 4).Draw(t, "recover") == 4 {
			k.script.recover = drawAnswers(t)
		}
	}
}

func drawScript(t *rapid.T, n *node) {
	n.stopTimeout = drawTime(t, "stop timeout", 0, 20)
	for range rapid.IntRange(0, 5).Draw(t, "parts") {
		n.script.parts = append(n.script.parts, part{
			up:   rapid.Bool().Draw(t, "up"),
			late: rapid.Bool().Draw(t, "late"),
			run:  drawTime(t, "run", 0, 50),
			end: rapid.SampledFrom([]outcome{runs, ends, fails, fails, fails, fails, panics, panicsNil, exits,
				uncounted, rarely(t, escalates), rarely(t, fatal)}).Draw(t, "end"),
			stop:     rapid.SampledFrom([]time.Duration{0, 0, 0, time.Second, 3 * time.Second, forever}).Draw(t, "stop"),
			farewell: rapid.SampledFrom([]outcome{obeys, obeys, obeys, ends, fails, panics, exits, rarely(t, escalates), rarely(t, fatal)}).Draw(t, "farewell"),
		})
	}
	n.script.patient = rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(t, "patient")
	if rapid.IntRange(0, 4).Draw(t, "check") == 4 {
		n.check = supervise.Check{Interval: drawTime(t, "interval", 5, 20), Timeout: drawTime(t, "timeout", 1, 30),
			Threshold: rapid.IntRange(1, 3).Draw(t, "threshold")}
		for range rapid.IntRange(1, 12).Draw(t, "probes") {
			n.script.probes = append(n.script.probes, answer{
				health: rapid.SampledFrom([]supervise.Level{supervise.LevelHealthy, supervise.LevelDegraded,
					supervise.LevelUnhealthy, supervise.LevelUnhealthy}).Draw(t, "level"),
				how: rapid.SampledFrom([]outcome{fails, fails, fails, panics, hangs}).Draw(t, "how"),
			})
		}
	}
}

func drawAnswers(t *rapid.T) []answer {
	list := []answer{}
	for range rapid.IntRange(1, 4).Draw(t, "answers") {
		list = append(list, answer{
			after: drawTime(t, "thinks", 0, 10),
			decision: rapid.SampledFrom([]supervise.Decision{supervise.ByPolicy, supervise.Restart, supervise.Ignore,
				supervise.GiveUp, rarely(t, supervise.PassUp)}).Draw(t, "decision"),
			how: rapid.SampledFrom([]outcome{fails, fails, fails, fails, fails, fails, panics, hangs}).Draw(t, "how"),
		})
	}
	return list
}

// rarely is v in one of six draws, and else the zero value.
func rarely[T any](t *rapid.T, v T) T {
	var zero T
	if rapid.IntRange(0, 5).Draw(t, "rarely") == 5 {
		return v
	}
	return zero
}
