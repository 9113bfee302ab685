package simulation

import (
	"fmt"
	"maps"
	"slices"

	"penstock/engine/frame"
	"penstock/engine/internal/rule"
	"penstock/engine/observe"
)

// simOracle looks at every frame at the moment the server stores it, and at
// every trim, and knows what each must be: it has its own account of all that
// was ever stored.
type simOracle struct {
	world    *world
	accounts map[string]*account // by stage
}

// account is what the frames of a stage say so far.
type account struct {
	stage    *simStage
	stream   *simStream
	frames   []accounted // all of them, trimmed ones too
	messages []uint64    // by offset
	lost     map[int][]uint64
	position []frame.Position // by input
	words    simWords
	keys     map[string]simWords
	vague    bool // a message it took had been lost and written anew, so that the state cannot be foretold
}

// accounted is one frame, and the account before it.
type accounted struct {
	frame    *frame.Frame
	messages int
	position []frame.Position
	words    simWords
	keys     map[string]simWords
	vague    bool
}

func newSimOracle(w *world) *simOracle {
	o := &simOracle{world: w, accounts: map[string]*account{}}
	for _, s := range w.plan.stages {
		a := &account{stage: s, stream: w.streams[s.name], position: make([]frame.Position, len(s.inputs))}
		if s.keyed {
			a.keys = map[string]simWords{}
		}
		o.accounts[s.name] = a
	}
	return o
}

func (o *simOracle) wrong(a *account, format string, args ...any) {
	o.world.violate("stage %s: %s", a.stage, fmt.Sprintf(format, args...))
}

// stored checks a frame against the account, and adds it.
func (o *simOracle) stored(s *simStream, f *frame.Frame) {
	a := o.accounts[s.stage.name]
	before := accounted{f, len(a.messages), slices.Clone(a.position), a.words, nil, a.vague}
	if a.keys != nil {
		before.keys = maps.Clone(a.keys)
	}
	o.checkOwner(a, f)
	outputs := o.outputs(a, f)
	a.frames = append(a.frames, before)
	if a.stage.kind == observe.KindSource {
		o.checkSource(a, f, outputs)
	} else {
		o.checkTaken(a, f, outputs)
	}
	a.messages = append(a.messages, outputs...)
	o.checkState(a, f)
}

// checkOwner sees to it that commits are dense, and that nobody commits after
// the fence of another.
func (o *simOracle) checkOwner(a *account, f *frame.Frame) {
	if len(a.frames) == 0 {
		if rule.Fencing && (f.Commit != 1 || f.Kind != frame.KindFence) {
			o.wrong(a, "its first frame is %s", describe(f))
		}
		return
	}
	last := a.frames[len(a.frames)-1].frame
	if !rule.Fencing { // what comes of it is to be seen
		last = &frame.Frame{Commit: last.Commit, Epoch: f.Epoch, Owner: f.Owner}
	}
	switch {
	case f.Commit != last.Commit+1:
		o.wrong(a, "commit %d follows commit %d", f.Commit, last.Commit)
	case last.Ended && !(f.Kind == frame.KindFence && (f.Ended || last.UsedUp && o.producerGoesOn(a))):
		o.wrong(a, "a frame follows its end: %s", describe(f))
	case f.Kind == frame.KindFence && f.Epoch <= last.Epoch: // claims without a fence are in between
		o.wrong(a, "a fence of epoch %d follows epoch %d", f.Epoch, last.Epoch)
	case f.Kind != frame.KindFence && (f.Epoch != last.Epoch || f.Owner != last.Owner):
		o.wrong(a, "after a fence of owner %d (epoch %d) owner %d (epoch %d) commits", last.Owner, last.Epoch, f.Owner, f.Epoch)
	}
}

// producerGoesOn says that a stage that has read another to its end may go on: the power was cut, and took that end, or all
// that there was.
func (o *simOracle) producerGoesOn(a *account) bool {
	for _, producer := range a.stage.inputs {
		frames := o.accounts[producer.name].frames
		if n := len(frames); n == 0 && o.world.lost || n > 0 && !frames[n-1].frame.Ended {
			return true
		}
	}
	return false
}

func (o *simOracle) outputs(a *account, f *frame.Frame) (outputs []uint64) {
	for k := range f.Sections {
		s := &f.Sections[k]
		if s.Base != uint64(len(a.messages)) {
			o.wrong(a, "its messages go on at offset %d instead of %d", s.Base, len(a.messages))
		}
		it := s.Messages()
		for m, ok := it.Next(); ok; m, ok = it.Next() {
			v, err := numbers.Decode(m.Value)
			if err != nil {
				o.wrong(a, "a message that cannot be read: %v", err)
			}
			outputs = append(outputs, v)
		}
	}
	return outputs
}

func (o *simOracle) checkSource(a *account, f *frame.Frame, outputs []uint64) {
	for k, v := range outputs {
		if want := simValue(a.stage.source, uint64(len(a.messages)+k), 0); v != want {
			o.wrong(a, "message %d is %x instead of %x", len(a.messages)+k, v, want)
		}
	}
	a.words.Count += uint64(len(outputs))
	dropped := uint64(0)
	for id := range a.words.Count {
		dropped += droppedFor(id)
	}
	if f.Tally.Dropped != dropped {
		o.wrong(a, "after %d messages it counts %d that were dropped instead of %d", a.words.Count, f.Tally.Dropped, dropped)
	}
}

// checkTaken compares what a frame took, made and remembers.
func (o *simOracle) checkTaken(a *account, f *frame.Frame, outputs []uint64) {
	made := outputs
	for k, producer := range a.stage.inputs {
		taken := o.taken(a, k, producer, f)
		if a.stage.kind == observe.KindSink {
			for _, v := range taken {
				a.add(v, v)
			}
			continue
		}
		for _, v := range taken {
			a.addCount(v)
		}
		if rest := o.checkMade(a, taken, made); len(a.stage.inputs) == 1 && len(rest) > 0 {
			o.wrong(a, "it made %x of nothing", rest)
		}
	}
	if a.stage.kind != observe.KindSink {
		for k := 0; k < len(made); k++ {
			if made[k]&1 == 0 {
				a.addChain(made[k])
			}
		}
	}
}

// taken are the messages of an input that a frame takes, in order.
func (o *simOracle) taken(a *account, input int, producer *simStage, f *frame.Frame) (taken []uint64) {
	of := o.accounts[producer.name]
	old := a.position[input]
	position := frame.Position{}
	for _, p := range f.Inputs {
		if p.Stream == producer.name {
			position = p
		}
	}
	a.position[input] = position
	for at := old.Offset; at < max(position.Offset, position.Reached, old.Reached); at++ {
		before, now := old.Consumed(at), position.Consumed(at)
		switch {
		case before && !now:
			o.wrong(a, "its position in %s goes back to %d", producer, at)
		case before || !now:
		case int(at) < len(of.messages):
			a.vague = a.vague || len(of.lost[int(at)]) > 0
			taken = append(taken, of.messages[at])
		case len(of.lost[int(at)]) > 0:
			a.vague = true
			taken = append(taken, of.lost[int(at)][0])
		default:
			o.wrong(a, "it takes message %d of %s, which has %d", at, producer, len(of.messages))
		}
	}
	if position.Offset < old.Offset {
		o.wrong(a, "its position in %s goes back from %d to %d", producer, old.Offset, position.Offset)
	}
	return taken
}

// checkMade sees to it that a stage made of the messages that it took what it
// has to, in their order, and returns what it made besides.
func (o *simOracle) checkMade(a *account, taken, made []uint64) (rest []uint64) {
	want := slices.DeleteFunc(slices.Clone(taken), func(v uint64) bool { return outputsFor(idOf(v)) == 0 })
	source := a.sourceOf(taken)
	for k := 0; k < len(made); k++ {
		v := made[k]
		if len(a.stage.inputs) > 1 && sourceOf(v) != source {
			continue
		}
		next := 0
		if a.stage.keyed {
			next = slices.IndexFunc(want, func(w uint64) bool { return keyOfValue(w) == keyOfValue(v) })
		}
		if next < 0 || next >= len(want) || want[next]>>32 != v>>32 || v&1 != 0 {
			o.wrong(a, "it made %x, and had to make something of %x", v, want)
			return nil
		}
		want = slices.Delete(want, next, next+1)
		if outputsFor(idOf(v)) == 2 {
			if k++; k == len(made) || made[k] != v|1 {
				o.wrong(a, "the second message made of %x is missing", v)
				return nil
			}
		}
	}
	if len(want) > 0 {
		o.wrong(a, "it took %x and made nothing of it", want)
	}
	return nil
}

func (a *account) sourceOf(taken []uint64) uint64 {
	if len(taken) == 0 {
		return 0
	}
	return sourceOf(taken[0])
}

func (a *account) change(v uint64, change func(*simWords)) {
	if a.keys == nil {
		change(&a.words)
		return
	}
	words := a.keys[keyOfValue(v)]
	change(&words)
	a.keys[keyOfValue(v)] = words
}

func (a *account) add(v, out uint64) {
	a.change(v, func(w *simWords) { w.Count, w.Chain = w.Count+1, mix(w.Chain, out) })
}

func (a *account) addCount(v uint64) { a.change(v, func(w *simWords) { w.Count++ }) }

func (a *account) addChain(v uint64) { a.change(v, func(w *simWords) { w.Chain = mix(w.Chain, v) }) }

// checkState compares the state in a frame with what its messages make of it.
func (o *simOracle) checkState(a *account, f *frame.Frame) {
	if a.keys == nil {
		words := simWords{}
		switch f.State.Kind {
		case frame.StateWhole:
			words = decodeWords(f.State.Whole)
		case frame.StateAbsent:
			if len(f.State.Whole) > 0 || a.words != (simWords{}) {
				o.wrong(a, "the state is missing in %s", describe(f))
			}
		}
		o.compare(a, "", words, &a.words)
		return
	}
	last := a.frames[len(a.frames)-1].keys
	changed := 0
	for _, c := range f.State.Changes {
		words := a.keys[c.Key]
		if words != last[c.Key] {
			changed++
		}
		o.compare(a, c.Key, decodeWords(c.Value), &words)
		a.keys[c.Key] = words
	}
	for key, words := range a.keys {
		if words != last[key] {
			changed--
		}
	}
	if changed != 0 && !a.vague {
		o.wrong(a, "the new state of a key is missing in %s", describe(f))
	}
}

func decodeWords(data []byte) simWords {
	words, _ := wordsCodec{}.Decode(data)
	return words
}

func (o *simOracle) compare(a *account, key string, have simWords, want *simWords) {
	switch {
	case have == *want:
	case a.vague:
		*want = have
	default:
		o.wrong(a, "its state %s is %x, and its messages make %x of it", key, have, *want)
	}
}

// lose takes frames back that the server lost.
func (o *simOracle) lose(s *simStream, frames int) {
	a := o.accounts[s.stage.name]
	for range frames {
		last := a.frames[len(a.frames)-1]
		a.frames = a.frames[:len(a.frames)-1]
		for at := last.messages; at < len(a.messages); at++ {
			if a.lost == nil {
				a.lost = map[int][]uint64{}
			}
			a.lost[at] = append(a.lost[at], a.messages[at])
		}
		a.messages = a.messages[:last.messages]
		a.position, a.words, a.vague = last.position, last.words, last.vague
		if a.keys != nil {
			a.keys = last.keys
		}
	}
}
