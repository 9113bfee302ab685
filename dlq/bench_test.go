package dlq

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/internal/testing/natsserver"
)

func BenchmarkPut(b *testing.B) {
	q := openNew(b)
	offset := uint64(0)
	for b.Loop() {
		mustPut(b, q, letterAt(offset), true)
		offset++
	}
}

func BenchmarkEach(b *testing.B) {
	q := openNew(b)
	for offset := range uint64(1000) {
		mustPut(b, q, letterAt(offset), true)
	}
	for b.Loop() {
		if list, err := offsets(b.Context(), q); err != nil || len(list) != 1000 {
			b.Fatal(len(list), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/letter")
}

var letters = flag.Int("letters", 10_000, "how many dead letters BenchmarkMany fills the queue with")

// BenchmarkMany is about a queue of very many letters of the usual size: a stack of 1.5 KiB, three attempts.
func BenchmarkMany(b *testing.B) {
	cfg := testConfig()
	cfg.MaxBytes = -1
	s := natsserver.Start(b)
	q := open(b, s.JetStream(), cfg)
	fill(b, q, *letters)
	each := func(f Filter, selectBy func(context.Context, Filter, func(Letter) error) error) func(*testing.B) {
		return func(b *testing.B) {
			found := 0
			for b.Loop() {
				if err := selectBy(b.Context(), f, func(Letter) error { found++; return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(found)/float64(b.N), "found/op")
			b.ReportMetric(float64(*letters*b.N)/b.Elapsed().Seconds(), "letters/s")
			b.ReportMetric(peakMiB(), "MiB-sys")
		}
	}
	b.Run("list", each(Filter{WithoutValues: true}, q.Select))
	b.Run("list-error", each(Filter{WithoutValues: true, Error: "number 77 "}, q.Select))
	b.Run("list-stage", each(Filter{WithoutValues: true, Stage: "logger"}, q.Select))
	b.Run("in-order-100", each(Filter{Error: "number 77 "}, q.SelectInOrder))
	b.Run("count-by", func(b *testing.B) {
		for b.Loop() {
			if _, err := q.CountBy(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("show", func(b *testing.B) {
		i := uint64(0)
		for b.Loop() {
			if _, found, err := q.Get(b.Context(), letterAt(i*7919%uint64(*letters)/10*10).ID()); err != nil || !found {
				b.Fatal(found, err)
			}
			i++
		}
	})
	b.Run("replay-1000", func(b *testing.B) {
		for b.Loop() {
			n, stop := 0, errors.New("enough")
			err := q.Select(b.Context(), Filter{Stage: "worker", WithoutValues: true}, func(l Letter) error {
				if n++; n > 1000 {
					return stop
				}
				return q.Replay(b.Context(), l, ReplayOptions{})
			})
			if err != stop {
				b.Fatal(n, err)
			}
			b.StopTimer()
			settleAll(b, q)
			b.StartTimer()
		}
	})
}

func settleAll(b *testing.B, q *Queue) {
	begin, n := time.Now(), 0
	for {
		r, found, err := q.NextReplay(b.Context(), "worker", 0, 0)
		if err != nil {
			b.Fatal(err)
		}
		if !found {
			b.Logf("settled %d in %v", n, time.Since(begin))
			return
		}
		if err := q.Settle(b.Context(), r); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// fill writes one letter of the stage logger for nine of the worker.
func fill(b *testing.B, q *Queue, n int) {
	stack := strings.Repeat("main.work(0xc000012345)\n\t/src/fizzbuzz/main.go:33 +0x1d\n", 28)
	begin := time.Now()
	for i := range n {
		l := letterAt(uint64(i))
		if i%10 == 9 {
			l.Stage = "logger"
		}
		l.Panic, l.Stack, l.At = fmt.Sprintf("number %d is unlucky", i%10_000), stack, time.Now()
		l.Attempts = slices.Repeat([]Attempt{{time.Now(), l.Panic}}, 3)
		if _, err := q.js.PublishMsgAsync(encode(l, fullLimits, "w"), jetstream.WithStallWait(time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
	<-q.js.PublishAsyncComplete()
	wantCount(b, q, uint64(n))
	b.Logf("%d letters in %v", n, time.Since(begin))
}

func peakMiB() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys) / (1 << 20)
}
