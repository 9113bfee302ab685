package workload

import (
	"path/filepath"
	"strings"
	"time"

	"penstock/engine"
	"penstock/engine/supervise"
	"penstock/stages"
)

// Place is where a run has its effects outside.
type Place struct {
	Output   string   // directory of the files
	Outside  *Outside // nil when nothing publishes
	Retyped  bool     // the states have another type, which those that are there do not fit
	Released bool     // the states have another type, into which those that are there are converted
}

// Attempts is how often an item may fail: more than faults from outside may take.
const Attempts = 6

// New declares the pipeline.
func New(s Spec, place Place) *engine.Pipeline {
	b := &builder{spec: &s, place: place, pipeline: engine.New(Name), streams: map[Input]*engine.Stream[Item]{}}
	b.scope = b.pipeline
	if s.Grouped {
		b.scope = b.pipeline.Group("all", engine.Group{Strategy: supervise.RestForOne})
	}
	for k := range s.Stages {
		b.declare(k)
	}
	return b.pipeline
}

type builder struct {
	spec     *Spec
	place    Place
	pipeline *engine.Pipeline
	scope    engine.Scope
	streams  map[Input]*engine.Stream[Item]
}

func (b *builder) declare(k int) {
	s := &b.spec.Stages[k]
	w := &worker{spec: b.spec, index: k, stage: s}
	scope := b.scope.With(b.options(k, w)...)
	switch {
	case s.Kind == Source && b.place.Released:
		b.write(k, engine.Source(scope, s.Name, w.emitReleased, engine.StateCodec[released[Plain], Item](newer[Plain]())))
	case s.Kind == Source:
		b.write(k, engine.Source(scope, s.Name, w.emitIDs, engine.StateCodec[Plain, Item](older[Plain]())))
	case s.Kind == File:
		stages.FileSink(scope, s.Name, b.streams[s.Inputs[0]], FileOf(b.place.Output, *s), AppendLine)
	case s.Kind == Publish:
		engine.SinkBatch(scope, s.Name, b.streams[s.Inputs[0]], b.place.Outside.publish(s.Name))
	case b.place.Retyped:
		declare(b, scope, k, w, engine.DefaultCodec[otherState]())
	case b.place.Released && s.Rich:
		declare(b, scope, k, w, newer[Rich]())
	case b.place.Released:
		declare(b, scope, k, w, newer[Plain]())
	case s.Rich:
		declare(b, scope, k, w, older[Rich]())
	default:
		declare(b, scope, k, w, older[Plain]())
	}
}

// FileOf is where a sink writes.
func FileOf(output string, s Stage) string { return filepath.Join(output, s.Name) }

func (b *builder) options(k int, w *worker) []engine.Option {
	s := &b.spec.Stages[k]
	quick := supervise.Backoff{Initial: time.Millisecond, Max: 5 * time.Millisecond}
	list := []engine.Option{
		engine.Attempts(Attempts), engine.RestartBackoff(quick), engine.RestartLimit(-1, time.Minute), engine.KeysInMemory(5), engine.BatchSize(20),
	}
	if s.Delay {
		list = append(list, engine.AttemptDelay(quick))
	}
	for _, to := range []int{toBranch, toTicks} {
		if to == toBranch && s.Branch || to == toTicks && s.Ticks {
			_, name, _ := strings.Cut(b.spec.streamName(Input{k, to}), "/")
			w.branches[to] = engine.Branch[Item](b.pipeline, name)
			b.streams[Input{k, to}] = &w.branches[to].Stream
			list = append(list, engine.Branches(w.branches[to]))
		}
	}
	return list
}

// write keeps the stream of a stage.
func (b *builder) write(k int, stream *engine.Stream[Item]) {
	s := &b.spec.Stages[k]
	stream.WithCapacity(engine.Capacity{Messages: s.Messages})
	if s.Compress {
		stream.WithCompression()
	}
	b.streams[Input{k, toOwn}] = stream
}

// state is a pointer to a state of the type S.
type state[S any] interface {
	*S
	account
}

// declare declares a stage of user functions with a state of the type S.
func declare[S any, P state[S]](b *builder, scope engine.Scope, k int, w *worker, codec engine.Codec[S]) {
	if w.stage.isSink() {
		engine.Stage(scope, w.stage.Name, parts[S, P](b, w, codec, func(engine.Emit[engine.None]) func(Item) { return nil })...)
		return
	}
	b.write(k, engine.Stage(scope, w.stage.Name, parts[S, P](b, w, codec, func(emit engine.Emit[Item]) func(Item) {
		return func(i Item) { emit(i) }
	})...))
}

// parts are what a stage is made of; own makes of its emit what emits to its own stream.
func parts[S any, P state[S], Out any](b *builder, w *worker, codec engine.Codec[S], own func(engine.Emit[Out]) func(Item)) []engine.Part[S, Out] {
	list := []engine.Part[S, Out]{engine.StateCodec[S, Out](codec)}
	for n, i := range w.stage.Inputs {
		stream := b.streams[i]
		if w.stage.Keys > 0 {
			stream = engine.KeyBy(stream, func(i Item) string { return w.stage.key(i.Token) })
		}
		if w.stage.Batch {
			list = append(list, engine.OnBatch(stream, handleBatch[S, P](w, n, own)))
			continue
		}
		list = append(list, engine.On(stream, handle[S, P](w, n, own)))
	}
	if w.stage.Ticks {
		list = append(list, engine.Every(tickEvery, tick[S, P, Out](w)))
	}
	if w.stage.Kind == Window {
		list = append(list, engine.OnTimer(flushTimer, flushDue[S, P](w, own)), engine.Hooks[S, Out]{End: flushAtEnd[S, P](w, own)})
	}
	return list
}
