//go:build unix

package engine_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"penstock/engine"
	"penstock/engine/breaker"
	"penstock/engine/supervise"
)

// supervised is one way to run the hop of BenchmarkSupervision.
type supervised struct {
	name    string
	options []engine.Option
	recover bool
	run     func(*engine.Pipeline, context.Context, engine.Config) error
}

var supervisions = []supervised{
	{name: "none", run: (*engine.Pipeline).RunUnsupervised},
	{name: "default"},
	{name: "deadline", options: []engine.Option{engine.Deadline(time.Minute)}},
	{name: "breaker", options: []engine.Option{engine.CircuitBreaker(breaker.Config{})}},
	{name: "all", recover: true, options: []engine.Option{
		engine.Deadline(time.Minute),
		engine.CircuitBreaker(breaker.Config{}),
		engine.HealthChecks(supervise.Check{Interval: 100 * time.Millisecond, Probe: func(context.Context) supervise.Health { return supervise.Well() }}),
	}},
}

// BenchmarkSupervision says what supervision costs a message that does not
// fail: source to stage to sink, 128 bytes each, every stage with the same
// options. The ways take turns within a round, and each is compared with the
// unsupervised one of its round: msgs/s are medians of the rounds, and so are
// the ratios, of rates (1 is no cost) and of the processor's time a message
// (which what else the machine does disturbs less). A round is an iteration:
//
//	go test -run '^$' -bench Supervision -benchtime 15x ./engine
func BenchmarkSupervision(b *testing.B) {
	const n = 500_000
	type figures struct{ rate, rateRatio, cpu, cpuRatio []float64 }
	all := make([]figures, len(supervisions))
	for _, s := range supervisions {
		s.hop(b, n/10) // the first of a process is slower
	}
	round := 0
	for b.Loop() {
		rates, cpus := make([]float64, len(all)), make([]float64, len(all))
		for turn := range supervisions {
			k := (turn + round) % len(supervisions)
			if round/len(supervisions)%2 == 1 { // so that none always follows the same
				k = len(supervisions) - 1 - k
			}
			took, cpu := supervisions[k].hop(b, n)
			rates[k], cpus[k] = n/took.Seconds(), float64(cpu.Nanoseconds())/n
		}
		round++
		for k := range all {
			f := &all[k]
			f.rate, f.rateRatio = append(f.rate, rates[k]), append(f.rateRatio, rates[k]/rates[0])
			f.cpu, f.cpuRatio = append(f.cpu, cpus[k]), append(f.cpuRatio, cpus[k]/cpus[0])
		}
	}
	b.Logf("%d rounds of %d messages, medians, ratios to the first of the same round (with quartiles)", round, n)
	b.Logf("%-10s %12s %8s %16s %12s %8s %16s", "supervised", "msgs/s", "ratio", "", "cpu ns/msg", "ratio", "")
	for k, s := range supervisions {
		f := all[k]
		b.Logf("%-10s %12.0f %8.3f (%.3f .. %.3f) %12.0f %8.3f (%.3f .. %.3f)", s.name, at(f.rate, 0.5),
			at(f.rateRatio, 0.5), at(f.rateRatio, 0.25), at(f.rateRatio, 0.75), at(f.cpu, 0.5),
			at(f.cpuRatio, 0.5), at(f.cpuRatio, 0.25), at(f.cpuRatio, 0.75))
		b.ReportMetric(at(f.rate, 0.5), s.name+"-msgs/s")
		if k > 0 {
			b.ReportMetric(at(f.rateRatio, 0.5), s.name+"-ratio")
			b.ReportMetric(at(f.cpuRatio, 0.5), s.name+"-cpu-ratio")
		}
	}
}

// at is the value that a share of the others is not above.
func at(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// hop runs the pipeline, and says how long it took, and how much of the
// process' processor time, from the source's first call to the sink's last
// message.
func (s supervised) hop(b *testing.B, n uint64) (took, cpu time.Duration) {
	b.Helper()
	var start time.Time
	var used time.Duration
	text := strings.Repeat("x", 128)
	p := engine.New("supervision")
	scope := p.With(s.options...)
	texts := engine.Source(scope, "source", func(_ context.Context, at *Place, emit engine.Emit[string]) error {
		if start.IsZero() {
			start, used = time.Now(), cpuTime(b)
		}
		for range 64 {
			if at.Next == n {
				return io.EOF
			}
			emit(text)
			at.Next++
		}
		return nil
	}, recoverHooks[Place, string](s.recover))
	passed := engine.Stage(scope, "stage", engine.On(texts,
		func(_ context.Context, count *uint64, m engine.Message[string], emit engine.Emit[string]) error {
			*count++
			emit(m.Value)
			return nil
		}), recoverHooks[uint64, string](s.recover))
	engine.Sink(scope, "sink", passed, func(_ context.Context, count *uint64, m engine.Message[string]) error {
		if *count++; *count == n {
			took, cpu = time.Since(start), cpuTime(b)-used
		}
		return nil
	}, recoverHooks[uint64, engine.None](s.recover))
	run := s.run
	if run == nil {
		run = (*engine.Pipeline).Run
	}
	config := quiet(b.TempDir())
	config.Sync = time.Minute
	if err := run(p, b.Context(), config); err != nil {
		b.Fatal(err)
	}
	if took == 0 {
		b.Fatal("the sink did not get everything")
	}
	return took, cpu
}

// recoverHooks are hooks with a recovery function that leaves it to the
// policy, or none.
func recoverHooks[S, Out any](recover bool) engine.Hooks[S, Out] {
	if !recover {
		return engine.Hooks[S, Out]{}
	}
	return engine.Hooks[S, Out]{Recover: func(context.Context, engine.Fault[S]) engine.Recovery[S] { return engine.Recovery[S]{} }}
}

// cpuTime is what the process has used of the processors.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
