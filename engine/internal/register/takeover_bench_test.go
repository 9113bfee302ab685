package register_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/register"
	"penstock/internal/testing/natsserver"
)

// BenchmarkTakeOver takes an instance over from an owner that commits without a pause, by the register, and as it was
// done before: by a fence that expects the last commit, and a new look after each refusal. Both in turn, b.N times.
//
//	go test -run '^$' -bench TakeOver -benchtime 200x ./engine/internal/register
func BenchmarkTakeOver(b *testing.B) {
	for _, replicas := range []int{1, 3} {
		for _, size := range []int{1 << 10, 64 << 10} {
			b.Run(fmt.Sprintf("R%d/%dKiB", replicas, size>>10), func(b *testing.B) {
				server := func(t testing.TB) *natsserver.Server { return natsserver.Start(t) }
				if replicas > 1 {
					server = func(t testing.TB) *natsserver.Server { return natsserver.Cluster(t)[0] }
				}
				ways := takeOverWays(open(b, server(b), replicas), size)
				b.ResetTimer()
				for range b.N {
					for _, w := range ways {
						w.once(b)
					}
				}
				for _, w := range ways {
					w.report(b)
				}
				b.ReportMetric(float64(ways[1].quantile(0.99))/float64(ways[0].quantile(0.99)), "p99-before/p99-register")
			})
		}
	}
}

// takeOverWay is a way to become the owner, and what it took.
type takeOverWay struct {
	name  string
	take  func(ctx context.Context, o *owner) (fence uint64, tries int, err error)
	start func() *owner

	took  []time.Duration
	tries []int
}

func takeOverWays(log *channel.Channel, size int) []*takeOverWay {
	number := uint64(0)
	start := func() *owner {
		number++
		return &owner{log: log, number: number, size: size}
	}
	return []*takeOverWay{
		{name: "register", start: start, take: func(ctx context.Context, o *owner) (uint64, int, error) {
			taken, err := (&register.Claimant{Log: log, Clock: ports.RealTime{}, Owner: o.number}).TakeOver(ctx, o)
			return taken.Fence, taken.Claims, err
		}},
		{name: "before", start: start, take: fenceAfterLast},
	}
}

func fenceAfterLast(ctx context.Context, o *owner) (uint64, int, error) {
	for try := 1; ; try++ {
		last, _, err := o.log.End(ctx)
		if err != nil {
			return 0, try, err
		}
		o.last = frame.Frame{Owner: o.number, Epoch: last.Frame.Epoch + 1, Commit: last.Frame.Commit + 1, Kind: frame.KindFence}
		data, err := frame.Append(nil, &o.last, frame.Options{})
		if err != nil {
			return 0, try, err
		}
		sequence, err := o.log.Publish(data, last.Sequence, channel.Trace{}).Result()
		if !errors.Is(err, channel.ErrConflict) {
			return sequence, try, err
		}
	}
}

// once takes the instance from an owner that is at work.
func (w *takeOverWay) once(b *testing.B) {
	var running sync.WaitGroup
	defer running.Wait()
	before := w.start()
	taken, err := (&register.Claimant{Log: before.log, Clock: ports.RealTime{}, Owner: before.number}).TakeOver(b.Context(), before)
	if err != nil {
		b.Fatal(err)
	}
	atWork := make(chan struct{}, 3)
	running.Go(func() {
		_ = before.commit(taken.Fence, func() {
			select {
			case atWork <- struct{}{}:
			default:
			}
		})
	})
	for range cap(atWork) {
		<-atWork
	}
	began := time.Now()
	_, tries, err := w.take(b.Context(), w.start())
	if err != nil {
		b.Fatal(err)
	}
	w.took, w.tries = append(w.took, time.Since(began)), append(w.tries, tries)
}

func (w *takeOverWay) quantile(q float64) time.Duration {
	slices.Sort(w.took)
	return w.took[min(int(q*float64(len(w.took))), len(w.took)-1)]
}

func (w *takeOverWay) report(b *testing.B) {
	sum := 0
	for _, n := range w.tries {
		sum += n
	}
	b.ReportMetric(float64(sum)/float64(len(w.tries)), w.name+"-tries")
	b.ReportMetric(float64(slices.Max(w.tries)), w.name+"-most-tries")
	for name, q := range map[string]float64{"p50": 0.5, "p99": 0.99, "max": 1} {
		b.ReportMetric(float64(w.quantile(q))/float64(time.Millisecond), w.name+"-"+name+"-ms")
	}
}
