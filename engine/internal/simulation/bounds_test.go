package simulation

import (
	"fmt"
	"maps"
	"strings"

	"penstock/engine/frame"
	"penstock/engine/observe"
)

// trimmed sees to it that nothing was trimmed which a recovery or a reader can
// need: what comes after the checkpoint on disk, and after the position that
// no power cut can take from a reader.
func (o *simOracle) trimmed(p *simProcess, s *simStream) {
	w := o.world
	if w.contested || w.robbed || !w.embedded && !w.syncAlways {
		return
	}
	a := o.accounts[s.stage]
	at := s.First()
	for !s.IsCommit(at) { // the last commit is behind it
		at++
	}
	first := s.Frame(at)
	if saved, found := p.disk.Checkpoint(s.stage.id.String()); !found || first.Commit > saved.Commit {
		o.wrong(a, "it is trimmed up to commit %d, and its checkpoint is at %d", first.Commit, saved.Commit)
	}
	if len(first.Sections) == 0 {
		return
	}
	for _, reader := range s.stage.readers {
		last := o.durable(o.accounts[reader])
		if last.Ended {
			continue
		}
		for _, i := range reader.inputs {
			if base := i.baseIn(first); i.from == s.stage && i.positionIn(last).Offset < base {
				o.wrong(a, "it is trimmed up to offset %d, and %s needs it from %d on", base, reader, i.positionIn(last).Offset)
			}
		}
	}
}

// baseIn is where a frame of the writer begins for the input.
func (i simInput) baseIn(f *frame.Frame) uint64 {
	for k := range f.Sections {
		if sectionOf(&f.Sections[k]) == i.section {
			return f.Sections[k].Base
		}
	}
	return 0
}

// positionIn is the position of the input in a frame of its reader.
func (i simInput) positionIn(f *frame.Frame) frame.Position {
	for _, p := range f.Inputs {
		if p.Stream == i.from.id.Stage && int(p.Instance) == i.from.id.Number {
			return p
		}
	}
	return frame.Position{}
}

// durable is the last frame of a stage that a cut of the power cannot take.
func (o *simOracle) durable(a *account) *frame.Frame {
	behind := a.stream.CommitsBehind(a.stream.Synced())
	if n := len(a.frames) - 1 - behind; n >= 0 {
		return a.frames[n].frame
	}
	return &frame.Frame{}
}

// complete checks the end of a run: everything is taken, and nothing that was
// lost has left a trace.
func (o *simOracle) complete() {
	for _, s := range o.world.plan.stages {
		a := o.accounts[s]
		if s.kind == observe.KindSource && a.words.Count != o.world.messages {
			o.wrong(a, "it ended after %d messages of %d", a.words.Count, o.world.messages)
		}
		words, keys := simWords{}, map[string]simWords{}
		final := &account{stage: s, words: words}
		if s.keyed {
			final.keys = keys
		}
		for k, i := range s.inputs {
			messages := o.accounts[i.from].messages[i.section]
			if a.position[k].Offset != uint64(len(messages)) {
				o.wrong(a, "it ended at %d of %d messages of %s", a.position[k].Offset, len(messages), i.from)
			}
			for _, v := range messages {
				if final.addCount(v); s.kind == observe.KindSink {
					final.addChain(v)
				}
			}
		}
		if s.kind != observe.KindSink {
			for _, v := range a.once(a.messages) {
				if v&1 == 0 {
					final.addChain(v)
				}
			}
		}
		if s.kind != observe.KindSource && (final.words != a.words || !maps.Equal(final.keys, a.keys)) {
			o.wrong(a, "its state does not fit what its inputs hold in the end")
		}
	}
}

// describe says what a frame holds, in a line.
func describe(f *frame.Frame) string {
	var b strings.Builder
	fmt.Fprintf(&b, "commit %d, epoch %d, owner %d", f.Commit, f.Epoch, f.Owner)
	if f.Kind == frame.KindFence {
		b.WriteString(", fence")
	}
	if f.Ended {
		b.WriteString(", end")
	}
	for _, p := range f.Inputs {
		fmt.Fprintf(&b, "; %s taken to %d", p.Stream, p.Offset)
		if len(p.Waiting) > 0 {
			fmt.Fprintf(&b, " (to %d but %v)", p.Reached, p.Waiting)
		}
		fmt.Fprintf(&b, " at sequence %d", p.Sequence)
	}
	for k := range f.Sections {
		if s := &f.Sections[k]; s.Count > 0 {
			fmt.Fprintf(&b, "; offsets %d to %d", s.Base, s.Next()-1)
		} else {
			fmt.Fprintf(&b, "; at offset %d", s.Base)
		}
	}
	return b.String()
}
