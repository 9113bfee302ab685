package frame

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// draft is what a test puts into a frame, and expects to find in it again.
type draft struct {
	frame    Frame
	messages [][]Message // by section
}

func genMessage(keyed bool) *rapid.Generator[Message] {
	return rapid.Custom(func(t *rapid.T) Message {
		m := Message{
			Time:  rapid.Int64().Draw(t, "time"),
			Value: rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "value"),
		}
		if keyed {
			m.Key = rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "key")
		}
		return m
	})
}

func genState() *rapid.Generator[State] {
	change := rapid.Custom(func(t *rapid.T) Change {
		c := Change{Key: rapid.String().Draw(t, "key"), Deleted: rapid.Bool().Draw(t, "deleted")}
		if !c.Deleted {
			c.Value = rapid.SliceOf(rapid.Byte()).Draw(t, "value")
		}
		if rapid.IntRange(0, 3).Draw(t, "extended") == 0 {
			c.Space, c.Due = rapid.Uint8().Draw(t, "space"), genDue().Draw(t, "due")
		}
		return c
	})
	return rapid.Custom(func(t *rapid.T) State {
		switch kind := StateKind(rapid.IntRange(0, 2).Draw(t, "kind")); kind {
		case StateWhole:
			return State{Kind: kind, Whole: rapid.SliceOf(rapid.Byte()).Draw(t, "whole")}
		case StateKeyed:
			return State{Kind: kind, Changes: rapid.SliceOf(change).Draw(t, "changes")}
		default:
			return State{}
		}
	})
}

func genDue() *rapid.Generator[[]Due] {
	return rapid.Custom(func(t *rapid.T) (list []Due) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{0,3}`), 0, 3, rapid.ID[string]).Draw(t, "timers")
		slices.Sort(names)
		for _, name := range names {
			list = append(list, Due{name, rapid.Int64().Draw(t, "at")})
		}
		return list
	})
}

func genWatermark() *rapid.Generator[Watermark] {
	return rapid.Custom(func(t *rapid.T) Watermark {
		w := Watermark{Known: rapid.Bool().Draw(t, "known"), Idle: rapid.Bool().Draw(t, "idle")}
		if w.Known {
			w.Time = rapid.Int64().Draw(t, "watermark")
		}
		return w
	})
}

func genNotes() *rapid.Generator[Notes] {
	return rapid.Custom(func(t *rapid.T) (notes Notes) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{0,3}`), 0, 3, rapid.ID[string]).Draw(t, "names")
		slices.Sort(names)
		for _, name := range names {
			note := Note{Name: name, Deleted: rapid.Bool().Draw(t, "deleted")}
			if !note.Deleted {
				note.Value = rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "note")
			}
			notes = append(notes, note)
		}
		return notes
	})
}

// extend adds features to a draft, any of them and none in two of three frames.
func (d *draft) extend(t *rapid.T) {
	f := &d.frame
	switch rapid.IntRange(0, 5).Draw(t, "extended") {
	case 0: // it has nothing but these
		f.Claim.Sequence = rapid.Uint64Range(1, math.MaxUint64).Draw(t, "claim")
		*f = Frame{Owner: f.Owner, Epoch: f.Epoch, Commit: f.Commit, Kind: KindSeal, Claim: f.Claim}
		f.Claim.Seen = rapid.Uint64().Draw(t, "seen")
		d.messages = nil
		return
	case 1:
		*f = Frame{Owner: f.Owner, Epoch: f.Epoch, Kind: KindClaim}
		d.messages = nil
	case 2, 3:
		f.Kind = rapid.SampledFrom([]Kind{f.Kind, KindRelease, KindRetired}).Draw(t, "kind")
		f.Claim.Sequence = rapid.Uint64().Draw(t, "claim")
		f.Watermark = genWatermark().Draw(t, "watermark")
		for i := range f.Inputs {
			f.Inputs[i].Watermark = genWatermark().Draw(t, "watermark")
		}
	default:
		return
	}
	f.Run, f.Layout = rapid.Uint64().Draw(t, "run"), rapid.Uint64Range(0, 3).Draw(t, "layout")
	f.Notes = genNotes().Draw(t, "notes")
}

func genTally() *rapid.Generator[Tally] {
	return rapid.Custom(func(t *rapid.T) (tally Tally) {
		tally.Dropped = rapid.Uint64Range(0, 3).Draw(t, "dropped")
		for range rapid.IntRange(0, 3).Draw(t, "reasons") {
			tally.AddLetters(rapid.StringMatching(`[a-z]{0,5}`).Draw(t, "reason"), rapid.Uint64Range(1, math.MaxUint32).Draw(t, "letters"))
		}
		return tally
	})
}

func genDraft() *rapid.Generator[draft] {
	position := rapid.Custom(func(t *rapid.T) Position {
		p := Position{
			Stream:   rapid.StringMatching(`[a-z]{1,9}(/[a-z]{1,5})?`).Draw(t, "stream"),
			Instance: rapid.Uint32().Draw(t, "instance"),
			Offset:   rapid.Uint64().Draw(t, "offset"),
			Sequence: rapid.Uint64().Draw(t, "sequence"),
		}
		for at, n := p.Offset, rapid.IntRange(0, 5).Draw(t, "waiting"); n > 0 && at < math.MaxUint64; n-- {
			p.Waiting = append(p.Waiting, at)
			p.Reached = rapid.Uint64Range(at+1, math.MaxUint64).Draw(t, "reached")
			at = p.Reached
		}
		return p
	})
	return rapid.Custom(func(t *rapid.T) draft {
		d := draft{frame: Frame{
			Owner:    rapid.Uint64().Draw(t, "owner"),
			Epoch:    rapid.Uint64().Draw(t, "epoch"),
			Commit:   rapid.Uint64().Draw(t, "commit"),
			Kind:     rapid.SampledFrom([]Kind{KindCommit, KindFence}).Draw(t, "kind"),
			Ended:    rapid.Bool().Draw(t, "ended"),
			UsedUp:   rapid.Bool().Draw(t, "used up"),
			Steps:    rapid.Uint64().Draw(t, "steps"),
			Inputs:   rapid.SliceOfN(position, 0, 4).Draw(t, "inputs"),
			Timers:   rapid.SliceOfN(rapid.Int64(), 0, 4).Draw(t, "timers"),
			Cursor:   rapid.String().Draw(t, "cursor"),
			EndPhase: rapid.Bool().Draw(t, "end phase"),
			Tally:    genTally().Draw(t, "tally"),
			State:    genState().Draw(t, "state"),
		}}
		for range rapid.IntRange(0, 3).Draw(t, "sections") {
			s := Section{
				Branch:    rapid.StringMatching(`[a-z]{0,5}`).Draw(t, "branch"),
				Partition: rapid.Uint32().Draw(t, "partition"),
				Base:      rapid.Uint64Range(0, math.MaxUint64-math.MaxUint32).Draw(t, "base"),
			}
			list := rapid.SliceOfN(genMessage(rapid.Bool().Draw(t, "keyed")), 0, 20).Draw(t, "messages")
			for _, m := range list {
				s.Append(m)
			}
			d.frame.Sections = append(d.frame.Sections, s)
			d.messages = append(d.messages, list)
		}
		d.extend(t)
		return d
	})
}

// typical is a frame as a busy stage writes it.
func typical(messages, size int) *Frame {
	return typicalOf(messages, func(i int, value []byte) {
		copy(value, fmt.Sprintf("record %012d ", i))
	}, size)
}

// noisy is typical with values that do not compress.
func noisy(messages, size int) *Frame {
	r := rand.New(rand.NewPCG(1, 2))
	return typicalOf(messages, func(_ int, value []byte) {
		for i := range value {
			value[i] = byte(r.Uint32())
		}
	}, size)
}

func typicalOf(messages int, fill func(int, []byte), size int) *Frame {
	f := &Frame{
		Epoch:  3,
		Commit: 70_000,
		Inputs: []Position{{Stream: "numbers", Offset: 17_920_000, Sequence: 70_012}},
		State:  State{Kind: StateWhole, Whole: []byte(`{"Credit":12,"Done":17920000}`)},
	}
	s := Section{Base: 17_919_744}
	value := make([]byte, size)
	for i := range messages {
		fill(i, value)
		s.Append(Message{Time: 1_700_000_000_000_000_000 + int64(i)*1000, Value: value})
	}
	f.Sections = []Section{s}
	return f
}

func encode(t testing.TB, f *Frame, c Compression) []byte {
	t.Helper()
	data, err := Append(nil, f, Options{Compression: c})
	if err != nil {
		t.Fatal(err)
	}
	return data
}
