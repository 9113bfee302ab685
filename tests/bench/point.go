package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"penstock/engine"
)

// point is what a process of its own measures, so that memory, CPU time and
// writes are those of this pipeline alone.
type point struct {
	Curve    string `json:"curve"`
	X        uint64 `json:"x"`
	Sync     string `json:"sync"`
	Messages uint64 `json:"messages"`
	Dir      string `json:"dir"`
}

func (p point) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	return string(text)
}

// takePoint runs a process that measures one point.
func takePoint(ctx context.Context, b *bench, curve string, x uint64, sync syncMode) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	dir := b.fresh()
	defer os.RemoveAll(dir)
	argument := point{Curve: curve, X: x, Sync: sync.name, Messages: uint64(b.messages), Dir: dir}.String()
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "-point", argument)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the process that measures: %w", err)
	}
	var readings map[string]float64
	if err := json.Unmarshal(out, &readings); err != nil {
		return nil, fmt.Errorf("read what the process measured: %w", err)
	}
	return readings, nil
}

// runPoint measures one point in this process.
func runPoint(ctx context.Context, argument string, in io.Reader, out io.Writer) error {
	var at point
	if err := json.Unmarshal([]byte(argument), &at); err != nil {
		return fmt.Errorf("-point: %w", err)
	}
	sync, err := syncNamed(at.Sync)
	if err != nil {
		return err
	}
	if at.Curve == stateCurve {
		return runRestart(ctx, at, sync, in, out)
	}
	g := &gauge{watch: &watch{}}
	build, found := map[string]func(*gauge, point) *engine.Pipeline{
		"stages": stagesPoint, "keys": keysPoint, "size": sizePoint, "backlog": backlogPoint,
	}[at.Curve]
	if !found {
		return fmt.Errorf("-point: there is no curve %q", at.Curve)
	}
	p := build(g, at)
	if _, err := runPipeline(ctx, p, g.watch, at.Dir, sync); err != nil {
		return err
	}
	if err := g.check(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(g.readings())
}

// gauge measures from begin until the last stage has stopped.
type gauge struct {
	watch         *watch
	records       uint64 // that are measured
	payload       uint64 // bytes of them
	before, after usage
	want, got     uint64 // messages at the sink
}

func (g *gauge) begin() {
	g.before = used()
	g.watch.begin()
}

func (g *gauge) check() error {
	g.after = used()
	return expect("messages at the sink", g.got, g.want)
}

func (g *gauge) readings() map[string]float64 {
	took := g.watch.stop.Sub(g.watch.start).Seconds()
	n := float64(g.records)
	return map[string]float64{
		perSecond:  n / took,
		cpuEach:    (g.after.cpu - g.before.cpu).Seconds() * 1e6 / n,
		mostMemory: g.after.most,
		diskEach:   (g.after.written - g.before.written) / float64(g.payload),
	}
}

// sends declares the source of n values of a size, which differ by number.
func (g *gauge) sends(p *engine.Pipeline, n uint64, size int, number func(uint64) uint64, sent func(uint64)) *engine.Stream[[]byte] {
	r := newRaw(size)
	step := min(perCall, max(1, 1<<20/size))
	var first sync.Once
	return engine.Source(p, "values", func(_ context.Context, at *place, emit engine.Emit[[]byte]) error {
		first.Do(func() { sent(0) })
		for range step {
			if at.Next == n {
				return io.EOF
			}
			r.number(number(at.Next))
			emit(r.template)
			at.Next++
			if at.Next == n {
				sent(n)
			}
		}
		return nil
	})
}

func itself(i uint64) uint64 { return i }

// measured says that all n records of a size count.
func (g *gauge) measured(n uint64, size int) {
	g.records, g.payload, g.want = n, n*uint64(size), n
}

// collects declares the sink, which checks the order.
func (g *gauge) collects(p *engine.Pipeline, values *engine.Stream[[]byte], each func(context.Context) error) {
	engine.Sink(p, "sink", values, func(ctx context.Context, t *tally, m engine.Message[[]byte]) error {
		if binary.BigEndian.Uint64(m.Value) != t.Count {
			return engine.Fatal(errDamaged)
		}
		if each != nil {
			if err := each(ctx); err != nil {
				return err
			}
		}
		t.Count++
		g.got = t.Count
		return nil
	})
}

// beginAtFirst starts the measurement with the first value.
func (g *gauge) beginAtFirst(sent uint64) {
	if sent == 0 {
		g.begin()
	}
}

// stagesPoint is a row of so many stages, each with a count of its own.
func stagesPoint(g *gauge, at point) *engine.Pipeline {
	const size = 128
	n := max(at.Messages*2/at.X, 1000)
	g.measured(n, size)
	p := engine.New("stages")
	values := g.sends(p, n, size, itself, g.beginAtFirst)
	for i := range at.X - 2 {
		values = engine.Stage(p, "pass-"+strconv.FormatUint(i, 10), engine.On(values,
			func(_ context.Context, t *tally, m engine.Message[[]byte], emit engine.Emit[[]byte]) error {
				t.Count++
				emit(m.Value)
				return nil
			}))
	}
	g.collects(p, values, nil)
	return p
}

// sizePoint moves as many bytes at each size, as far as that makes sense.
func sizePoint(g *gauge, at point) *engine.Pipeline {
	n := min(max(at.Messages*512/at.X, 1000), at.Messages)
	g.measured(n, int(at.X))
	p := engine.New("size")
	g.collects(p, g.sends(p, n, int(at.X), itself, g.beginAtFirst), nil)
	return p
}

// keysPoint first gives each key a state, and then measures messages of random
// keys.
func keysPoint(g *gauge, at point) *engine.Pipeline {
	const size = 128
	n, keys := at.Messages, at.X
	g.measured(n, size)
	g.want = n + keys
	p := engine.New("keys")
	values := g.sends(p, g.want, size, func(i uint64) uint64 {
		if i < keys {
			return i
		}
		return scatter(i) % keys
	}, func(uint64) {})
	engine.Sink(p, "counts", engine.KeyBy(values, func(v []byte) string { return "key-" + strconv.FormatUint(binary.BigEndian.Uint64(v), 10) }),
		func(_ context.Context, count *uint64, _ engine.Message[[]byte]) error {
			if g.got == keys {
				g.begin()
			}
			*count++
			g.got++
			return nil
		})
	return p
}

// backlogPoint lets the messages gather before the sink takes the first, and
// measures how they are worked off. Without a backlog both run at once.
func backlogPoint(g *gauge, at point) *engine.Pipeline {
	const size = 128
	n := at.X
	if n == 0 {
		n = at.Messages
	}
	g.measured(n, size)
	gathered := make(chan struct{})
	p := engine.New("backlog")
	values := g.sends(p, n, size, itself, func(sent uint64) {
		switch {
		case sent == 0 && at.X == 0:
			g.begin()
			close(gathered)
		case sent == n && at.X > 0:
			close(gathered)
		}
	}).WithCapacity(engine.Capacity{Messages: n + 1_000_000, Bytes: n*2*size + 256<<20})
	begun := at.X == 0
	g.collects(p, values, func(ctx context.Context) error {
		select {
		case <-gathered:
		case <-ctx.Done():
			return ctx.Err()
		}
		if !begun {
			begun = true
			g.begin()
		}
		return nil
	})
	return p
}

func syncNamed(name string) (syncMode, error) {
	for _, sync := range syncModes {
		if sync.name == name {
			return sync, nil
		}
	}
	return syncMode{}, errors.New("there is no sync " + name)
}

// usage is what this process has used of the machine.
type usage struct {
	cpu     time.Duration
	written float64 // bytes to the disk, 0 where the system does not tell
	most    float64 // MB
}
