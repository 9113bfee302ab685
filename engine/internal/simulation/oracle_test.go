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
	accounts map[*simStage]*account
}

// account is what the frames of a stage say so far.
type account struct {
	stage    *simStage
	stream   *simStream
	frames   []accounted          // all of them, trimmed ones too
	messages map[section][]uint64 // by offset
	lost     map[section]map[int][]uint64
	position []frame.Position // by input
	words    simWords
	keys     map[string]simWords
	vague    bool // a message it took had been lost and written anew, so that the state cannot be foretold
}

// accounted is one frame, and the account before it.
type accounted struct {
	frame    *frame.Frame
	messages map[section]int // how many
	position []frame.Position
	words    simWords
	keys     map[string]simWords
	vague    bool
}

func newSimOracle(w *world) *simOracle {
	o := &simOracle{world: w, accounts: map[*simStage]*account{}}
	for _, s := range w.plan.stages {
		a := &account{stage: s, stream: w.streams[s.id], position: make([]frame.Position, len(s.inputs)),
			messages: map[section][]uint64{}, lost: map[section]map[int][]uint64{}}
		if s.keyed {
			a.keys = map[string]simWords{}
		}
		o.accounts[s] = a
	}
	return o
}

func (o *simOracle) wrong(a *account, format string, args ...any) {
	o.world.violate("stage %s: %s", a.stage, fmt.Sprintf(format, args...))
}

// stored checks a frame against the account, and adds it.
func (o *simOracle) stored(s *simStream, f *frame.Frame) {
	a := o.accounts[s.stage]
	before := accounted{f, map[section]int{}, slices.Clone(a.position), a.words, nil, a.vague}
	for to, messages := range a.messages {
		before.messages[to] = len(messages)
	}
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
	for to, messages := range outputs {
		a.messages[to] = append(a.messages[to], messages...)
	}
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
	for _, i := range a.stage.inputs {
		frames := o.accounts[i.from].frames
		if n := len(frames); n == 0 && o.world.lost || n > 0 && !frames[n-1].frame.Ended {
			return true
		}
	}
	return false
}

func (o *simOracle) outputs(a *account, f *frame.Frame) map[section][]uint64 {
	outputs := map[section][]uint64{}
	for k := range f.Sections {
		s := &f.Sections[k]
		to := sectionOf(s)
		if s.Base != uint64(len(a.messages[to])) {
			o.wrong(a, "its messages go on at offset %d instead of %d", s.Base, len(a.messages[to]))
		}
		it := s.Messages()
		for m, ok := it.Next(); ok; m, ok = it.Next() {
			v, err := numbers.Decode(m.Value)
			if err != nil {
				o.wrong(a, "a message that cannot be read: %v", err)
			}
			outputs[to] = append(outputs[to], v)
		}
	}
	return outputs
}

func (o *simOracle) checkSource(a *account, f *frame.Frame, outputs map[section][]uint64) {
	began := a.words.Count
	a.words.Count += uint64(len(a.once(outputs)))
	for _, to := range a.stage.to {
		var want []uint64
		for id := began; id < a.words.Count; id++ {
			if v := simValue(a.stage.source, id, 0); to.has(v, a.widthOf(to)) {
				want = append(want, v)
			}
		}
		if !slices.Equal(outputs[to], want) {
			o.wrong(a, "it sends %x to %v instead of %x", outputs[to], to, want)
		}
	}
	dropped := uint64(0)
	for id := range a.words.Count {
		dropped += droppedFor(id)
	}
	if f.Tally.Dropped != dropped {
		o.wrong(a, "after %d messages it counts %d that were dropped instead of %d", a.words.Count, f.Tally.Dropped, dropped)
	}
}

// checkTaken compares what a frame took, made and remembers.
func (o *simOracle) checkTaken(a *account, f *frame.Frame, outputs map[section][]uint64) {
	for k, i := range a.stage.inputs {
		taken := o.taken(a, k, i, f)
		if a.stage.kind == observe.KindSink {
			for _, v := range taken {
				a.add(v, v)
			}
			continue
		}
		for _, v := range taken {
			a.addCount(v)
		}
		for _, to := range a.stage.to {
			o.checkMade(a, to, taken, outputs[to])
		}
	}
	if a.stage.kind != observe.KindSink {
		for _, v := range a.once(outputs) {
			if v&1 == 0 {
				a.addChain(v)
			}
		}
	}
}

// once are messages of an instance, each only once; in partitions only those of a key are in order.
func (a *account) once(messages map[section][]uint64) (all []uint64) {
	for _, to := range a.stage.to {
		if to.reader == a.stage.to[0].reader {
			all = append(all, messages[to]...)
		}
	}
	return all
}

// widthOf is in how many partitions the reader of a section is.
func (a *account) widthOf(to section) int {
	for _, r := range a.stage.readers {
		if r.id.Stage == to.reader {
			return r.width
		}
	}
	return 1
}

// taken are the messages of an input that a frame takes, in order.
func (o *simOracle) taken(a *account, input int, i simInput, f *frame.Frame) (taken []uint64) {
	producer := i.from
	messages, lost := o.accounts[producer].messages[i.section], o.accounts[producer].lost[i.section]
	old, position := a.position[input], i.positionIn(f)
	a.position[input] = position
	for at := old.Offset; at < max(position.Offset, position.Reached, old.Reached); at++ {
		before, now := old.Consumed(at), position.Consumed(at)
		switch {
		case before && !now:
			o.wrong(a, "its position in %s goes back to %d", producer, at)
		case before || !now:
		case int(at) < len(messages):
			a.vague = a.vague || len(lost[int(at)]) > 0
			taken = append(taken, messages[at])
		case len(lost[int(at)]) > 0:
			a.vague = true
			taken = append(taken, lost[int(at)][0])
		default:
			o.wrong(a, "it takes message %d of %s, which has %d", at, producer, len(messages))
		}
	}
	if position.Offset < old.Offset {
		o.wrong(a, "its position in %s goes back from %d to %d", producer, old.Offset, position.Offset)
	}
	return taken
}

// checkMade sees to it that a stage made of the messages that it took what it
// has to for one of its readers, in their order.
func (o *simOracle) checkMade(a *account, to section, taken, made []uint64) {
	width := a.widthOf(to)
	want := slices.DeleteFunc(slices.Clone(taken), func(v uint64) bool { return outputsFor(idOf(v)) == 0 || !to.has(v, width) })
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
			return
		}
		want = slices.Delete(want, next, next+1)
		if outputsFor(idOf(v)) == 2 {
			if k++; k == len(made) || made[k] != v|1 {
				o.wrong(a, "the second message made of %x is missing", v)
				return
			}
		}
	}
	if len(want) > 0 {
		o.wrong(a, "it took %x and made nothing of it", want)
	}
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
	a := o.accounts[s.stage]
	for range frames {
		last := a.frames[len(a.frames)-1]
		a.frames = a.frames[:len(a.frames)-1]
		for to, messages := range a.messages {
			for at := last.messages[to]; at < len(messages); at++ {
				if a.lost[to] == nil {
					a.lost[to] = map[int][]uint64{}
				}
				a.lost[to][at] = append(a.lost[to][at], messages[at])
			}
			a.messages[to] = messages[:last.messages[to]]
		}
		a.position, a.words, a.vague = last.position, last.words, last.vague
		if a.keys != nil {
			a.keys = last.keys
		}
	}
}
