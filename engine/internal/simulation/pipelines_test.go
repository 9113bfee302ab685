package simulation

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"penstock/engine"
	"penstock/engine/frame"
	"penstock/engine/internal/compiled"
	"penstock/engine/internal/plan"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

var numbers = engine.DefaultCodec[uint64]()

// A simulated message is a number: the source, its id there, and a nonce that a
// stage adds, another one each time it is called. The key is made of the id.
func simValue(source, id, nonce uint64) uint64 { return source<<56 | id<<32 | nonce }

func sourceOf(v uint64) uint64 { return v >> 56 }
func idOf(v uint64) uint64     { return v >> 32 & 0xffffff }

func keyOfValue(v uint64) string { return simKeys[idOf(v)%uint64(len(simKeys))] }

var simKeys = [...]string{"a", "b", "c"}

// outputsFor is how many messages a stage makes of one.
func outputsFor(id uint64) int {
	switch {
	case id%5 == 4:
		return 0
	case id%7 == 6:
		return 2
	}
	return 1
}

// droppedFor is how many more a source leaves out beside a message.
func droppedFor(id uint64) uint64 { return id % 3 }

// simWords is a state: how many messages it has seen, and a hash of what was
// made of them, in order. So it knows every nonce.
type simWords struct{ Count, Chain uint64 }

func (s *simWords) words() *simWords { return s }

func mix(chain, v uint64) uint64 {
	chain = (chain ^ v) * 0x9e3779b97f4a7c15
	return chain ^ chain>>29
}

// simSlice is the same in memory that a copy shares.
type simSlice []simWords

func (s *simSlice) words() *simWords {
	if len(*s) == 0 {
		*s = make(simSlice, 1)
	}
	return &(*s)[0]
}

type wordsCodec struct{}

func (wordsCodec) Name() string { return "words" }

func (wordsCodec) Append(dst []byte, v simWords) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, v.Count), v.Chain), nil
}

func (wordsCodec) Decode(data []byte) (v simWords, err error) {
	if len(data) != 16 {
		return v, fmt.Errorf("%d bytes", len(data))
	}
	v.Count, v.Chain = binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])
	return v, nil
}

type sliceCodec struct{}

func (sliceCodec) Name() string { return "slice" }

func (sliceCodec) Append(dst []byte, v simSlice) ([]byte, error) {
	return wordsCodec{}.Append(dst, *v.words())
}

func (sliceCodec) Decode(data []byte) (simSlice, error) {
	v, err := wordsCodec{}.Decode(data)
	return simSlice{v}, err
}

// refusingCodec is one that may not write a state.
type refusingCodec[S any] struct {
	engine.Codec[S]
	plan *simPlan
}

func (c refusingCodec[S]) Append(dst []byte, v S) ([]byte, error) {
	if err := c.plan.world.mayRefuse(); err != nil {
		return dst, err
	}
	return c.Codec.Append(dst, v)
}

// simStage is an instance of a stage as the oracle knows it.
type simStage struct {
	id      plan.InstanceID
	width   int // of its stage
	kind    observe.Kind
	source  uint64 // number of a source
	keyed   bool
	inputs  []simInput
	readers []*simStage
	to      []section
}

func (s *simStage) String() string { return s.id.String() }

// simInput is what an instance reads of another.
type simInput struct {
	from *simStage
	section
}

// section is a destination of an instance. One without a reader has every message.
type section struct {
	reader string
	number uint32
}

// has says whether a message is for the section.
func (s section) has(v uint64, width int) bool {
	return s.reader == "" || plan.PartitionOf(plan.GroupOf(keyOfValue(v)), width) == int(s.number)
}

// sectionOf is that of a section of a frame.
func sectionOf(s *frame.Section) section {
	return section{strings.TrimPrefix(s.Branch, ">"), s.Partition}
}

// simStages are the instances of a stage.
type simStages []*simStage

func (s simStages) String() string { return s[0].id.Stage }

// simPlan is a pipeline that is simulated again and again.
type simPlan struct {
	pipeline *engine.Pipeline
	stages   []*simStage
	world    *world // at present
	threads  *threads
}

// errStage is a failure of a stage's function.
var errStage = errors.New("the stage fails")

func (p *simPlan) stage(name string, kind observe.Kind, keyed bool, inputs ...simStages) simStages {
	return p.wide(name, kind, keyed, 1, inputs...)
}

// wide is a stage in partitions.
func (p *simPlan) wide(name string, kind observe.Kind, keyed bool, width int, inputs ...simStages) (stages simStages) {
	for n := range width {
		s := &simStage{id: plan.InstanceID{Stage: name, Number: n}, width: width, kind: kind, keyed: keyed}
		for _, from := range slices.Concat(inputs...) {
			to := section{}
			if width > 1 {
				to = section{name, uint32(n)}
			}
			if !slices.Contains(from.to, to) {
				from.to = append(from.to, to)
			}
			s.inputs = append(s.inputs, simInput{from, to})
			from.readers = append(from.readers, s)
		}
		stages = append(stages, s)
	}
	p.stages = append(p.stages, stages...)
	return stages
}

func (p *simPlan) source(number uint64, capacity engine.Capacity) (*engine.Stream[uint64], simStages) {
	s := p.stage(fmt.Sprintf("source%d", number), observe.KindSource, false)
	s[0].source = number
	stream := engine.Source(p.pipeline.With(engine.Attempts(1000)), s.String(), func(ctx context.Context, state *simWords, emit engine.Emit[uint64]) error {
		w := p.world
		for range 1 + w.choose(3) {
			if state.Count == w.messages {
				return io.EOF
			}
			engine.CountDropped(ctx, droppedFor(state.Count))
			emit(simValue(number, state.Count, 0))
			state.Count++
		}
		return w.mayFail(s)
	}, engine.StateCodec[simWords, uint64](refusingCodec[simWords]{wordsCodec{}, p}))
	return stream.WithCapacity(capacity), s
}

// wordy is a pointer to a state.
type wordy[S any] interface {
	*S
	words() *simWords
}

// transform is what a stage makes of its messages.
func transform[S any, P wordy[S]](p *simPlan, s simStages) engine.MessageFunc[S, uint64, uint64] {
	return func(_ context.Context, state *S, m engine.Message[uint64], emit engine.Emit[uint64]) error {
		w := p.world
		if err := w.beforeCall(s); err != nil {
			return err
		}
		words := P(state).words()
		words.Count++
		if n := outputsFor(idOf(m.Value)); n > 0 {
			out := m.Value | w.nonce()<<1
			words.Chain = mix(words.Chain, out)
			emit(out)
			if n == 2 {
				emit(out | 1)
			}
		}
		return w.mayFail(s)
	}
}

func collector(p *simPlan, s simStages) func(context.Context, *simWords, engine.Message[uint64]) error {
	return func(_ context.Context, state *simWords, m engine.Message[uint64]) error {
		w := p.world
		if err := w.beforeCall(s); err != nil {
			return err
		}
		state.Count++
		state.Chain = mix(state.Chain, m.Value)
		return w.mayFail(s)
	}
}

func (p *simPlan) sink(name string, in *engine.Stream[uint64], of simStages) {
	p.wideSink(name, in, 1, of)
}

func (p *simPlan) wideSink(name string, in *engine.Stream[uint64], width int, of simStages) {
	s := p.wide(name, observe.KindSink, false, width, of)
	engine.Sink(p.pipeline.With(engine.Attempts(1000), engine.KeysInMemory(2)), name, in, collector(p, s), engine.StateCodec[simWords, engine.None](refusingCodec[simWords]{wordsCodec{}, p}))
	stages, _ := compiled.Of(p.pipeline)
	for _, instance := range s {
		instance.keyed = stages.Stage(name).Keyed()
	}
}

// newPlans declares the pipelines. Each worker has its own.
func newPlans() []*simPlan {
	shapes := []func(p *simPlan){
		func(p *simPlan) { // a state that can be copied
			in, a := p.source(1, engine.Capacity{Messages: 12})
			b := p.stage("worker", observe.KindProcessor, false, a)
			out := engine.Stage(p.pipeline.With(engine.Attempts(1000)), "worker", engine.On(in, transform[simWords](p, b)), engine.StateCodec[simWords, uint64](refusingCodec[simWords]{wordsCodec{}, p}))
			p.sink("sink", out, b)
		},
		func(p *simPlan) { // fan-in, and a state that is undone by going back
			in1, a1 := p.source(1, engine.Capacity{})
			in2, a2 := p.source(2, engine.Capacity{})
			b := p.stage("worker", observe.KindProcessor, false, a1, a2)
			out := engine.Stage(p.pipeline.With(engine.Attempts(1000)), "worker", engine.On(in1, transform[simSlice](p, b)), engine.On(in2, transform[simSlice](p, b)),
				engine.StateCodec[simSlice, uint64](refusingCodec[simSlice]{sliceCodec{}, p}))
			p.sink("sink", out.WithCapacity(engine.Capacity{Messages: 8}), b)
		},
		func(p *simPlan) { // state by key, of which few are in memory
			in, a := p.source(1, engine.Capacity{})
			b := p.stage("worker", observe.KindProcessor, true, a)
			out := engine.Stage(p.pipeline.With(engine.Attempts(1000), engine.KeysInMemory(2)), "worker", engine.On(engine.KeyBy(in, keyOfValue), transform[simWords](p, b)),
				engine.StateCodec[simWords, uint64](refusingCodec[simWords]{wordsCodec{}, p}))
			p.sink("sink", out, b)
		},
		func(p *simPlan) { // messages that overtake those that wait for another attempt, and two readers
			in, a := p.source(1, engine.Capacity{})
			b := p.stage("worker", observe.KindProcessor, true, a)
			delay := supervise.Exponential(5*time.Millisecond, 20*time.Millisecond, 2, 0)
			out := engine.Stage(p.pipeline.With(engine.Attempts(1000), engine.AttemptDelay(delay)), "worker", engine.On(engine.KeyBy(in, keyOfValue), transform[simSlice](p, b)),
				engine.StateCodec[simSlice, uint64](refusingCodec[simSlice]{sliceCodec{}, p}))
			p.sink("sink", out, b)
			p.sink("tally", engine.KeyBy(out, keyOfValue), b)
		},
		func(p *simPlan) { // partitions that read one, two that read two and are read by one, and by three
			in1, a1 := p.source(1, engine.Capacity{Messages: 12})
			in2, a2 := p.source(2, engine.Capacity{})
			b := p.wide("worker", observe.KindProcessor, true, 2, a1, a2)
			out := engine.Stage(p.pipeline.With(engine.Attempts(1000), engine.KeysInMemory(2)), "worker",
				engine.On(engine.KeyBy(in1, keyOfValue), transform[simWords](p, b)), engine.On(engine.KeyBy(in2, keyOfValue), transform[simWords](p, b)),
				engine.StateCodec[simWords, uint64](refusingCodec[simWords]{wordsCodec{}, p}))
			p.sink("sink", engine.KeyBy(out, keyOfValue), b)
			p.wideSink("tally", engine.KeyBy(out, keyOfValue), 3, b)
		},
	}
	plans, pool := make([]*simPlan, len(shapes)), &threads{}
	for k, shape := range shapes {
		plans[k] = &simPlan{pipeline: engine.New("sim"), threads: pool}
		shape(plans[k])
		declared, _ := compiled.Of(plans[k].pipeline)
		for _, s := range plans[k].stages {
			declared.Stage(s.id.Stage).Options.Partitions = s.width
		}
		if err := plans[k].pipeline.Check(); err != nil {
			panic(err)
		}
	}
	return plans
}
