package channel

import (
	"context"
	"testing"
	"time"

	"penstock/engine/broker"
	"penstock/engine/frame"
)

// One hop: frames of 256 messages of 128 bytes, published fenced and read back.
func BenchmarkHop(b *testing.B) {
	for name, sync := range map[string]time.Duration{"sync=always": 0, "sync=2m": 2 * time.Minute} {
		for depth, under := range map[string]int{"depth=1": 1, "depth=8": 8} {
			b.Run(name+"/"+depth, func(b *testing.B) { benchmarkHop(b, sync, under) })
		}
	}
}

func benchmarkHop(b *testing.B, sync time.Duration, depth int) {
	const perFrame = 256
	broker := connect(b, broker.Config{Dir: b.TempDir(), Sync: sync})
	c := openChannel(b, broker, spec())
	ctx, cancel := context.WithCancel(testContext(b))
	r := c.Reader(ReaderConfig{Name: "worker-0"})
	read := make(chan error, 1)
	go func() { read <- r.Run(ctx) }()
	f := &frame.Frame{Epoch: 1, Sections: []frame.Section{{}}}
	value := make([]byte, 128)
	var data []byte
	pending := make(chan *Pending, depth)
	settled := make(chan error, 1)
	b.ResetTimer()
	go func() {
		for p := range pending {
			if _, err := p.Result(); err != nil {
				settled <- err
				return
			}
		}
		settled <- nil
	}()
	go func() {
		defer close(pending)
		for i := range uint64(b.N) {
			f.Commit = i + 1
			s := &f.Sections[0]
			s.Reset(i * perFrame)
			for range perFrame {
				s.Append(frame.Message{Time: 1, Value: value})
			}
			data, _ = frame.Append(data[:0], f, frame.Options{})
			p := c.Publish(data, i, Trace{})
			if depth == 1 {
				<-p.Done()
			}
			pending <- p
		}
	}()
	var bytes int
	for next := uint64(0); next < uint64(b.N)*perFrame; {
		d, ok := <-r.Deliveries()
		if !ok {
			b.Fatal(<-read)
		}
		it := d.Section.Messages()
		for m, ok := it.Next(); ok; m, ok = it.Next() {
			bytes += len(m.Value)
			next++
		}
		r.Ack(d)
	}
	b.StopTimer()
	if err := <-settled; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(bytes/128)/b.Elapsed().Seconds(), "msgs/s")
	cancel()
	if err := <-read; err != nil {
		b.Fatal(err)
	}
}
