package stages

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"penstock/engine"
)

// Positions says which messages a sink has. A sink that writes into a database
// keeps it there, and saves it in the transaction that writes the messages. What
// is delivered again after a crash is then recognised, and so is a dead letter
// that is replayed: a plain offset would skip that one, and lose it.
//
//	begin the transaction, and read the positions in it
//	for each message: if !positions.Has(m) { write it; positions.Take(m) }
//	write the positions, and commit the transaction
//
// Read them in each transaction, or after each start: those in memory are ahead
// of the database when a transaction has failed. Keep one for each sink. It may
// also be a field of a stage's state. When the pipeline starts from the beginning,
// its offsets begin at 0 again: positions of the run before have none of its
// messages, and become those of the new run with the first one that is taken.
//
// The zero value has no message. It is not safe for concurrent use.
type Positions struct {
	// Run is the run that the offsets belong to: see engine.Info. "": positions of builds that did not know it, which
	// count as those of the run that goes on with them.
	Run     string              `json:"run,omitempty"`
	Streams map[string]Position `json:"streams,omitempty"`
}

// Position says which messages of one stream a sink has: those below Next but for the gaps.
type Position struct {
	Next uint64 `json:"next"`
	// Gaps are in order and do not touch. A message in a gap failed or was
	// overtaken: it was not taken yet.
	Gaps []Gap `json:"gaps,omitempty"`
	// Known is where gaps begin to be kept. Below it those are left out that
	// can only come again as replays.
	Known uint64 `json:"known,omitempty"`
	// Replayed is the latest replay that was taken.
	Replayed uint64 `json:"replayed,omitempty"`
}

// Gap is a range of offsets: First and those after it below End.
type Gap struct {
	First uint64 `json:"first"`
	End   uint64 `json:"end"`
}

// Delivered is a message of any type: engine.Message.
type Delivered interface{ Delivery() engine.Delivery }

// mostGaps are kept of a stream, besides those that the engine may still fill.
const mostGaps = 256

// Has says whether the sink has the message already, and must skip it. Of a
// replay it says so when this replay was taken before, or when the message
// itself was taken although its call failed: the answer to a commit was lost.
// The latter is not known of a message behind more than 256 others that have
// become dead letters since.
func (p *Positions) Has(m Delivered) bool {
	d := m.Delivery()
	if p.isOfAnother(d) {
		return false
	}
	at := p.Streams[d.Stream]
	switch _, isGap := at.gap(d.Offset); {
	case d.Offset >= at.Next || isGap:
		return false
	case d.Offset < at.Known && d.Replay > 0:
		return d.Replay <= at.Replayed
	}
	return true
}

// Take notes that the sink has the message.
func (p *Positions) Take(m Delivered) {
	d := m.Delivery()
	if p.isOfAnother(d) {
		p.Streams = nil
	}
	if d.Run != "" {
		p.Run = d.Run
	}
	at := p.Streams[d.Stream]
	at.take(d.Offset)
	at.Replayed = max(at.Replayed, d.Replay)
	at.forget(d.Settled)
	if p.Streams == nil {
		p.Streams = map[string]Position{}
	}
	p.Streams[d.Stream] = at
}

// isOfAnother says that the positions are those of another run than the message.
func (p *Positions) isOfAnother(d engine.Delivery) bool {
	return p.Run != "" && d.Run != "" && p.Run != d.Run
}

// gap finds the gap that an offset is in.
func (p *Position) gap(offset uint64) (at int, isGap bool) {
	at, _ = slices.BinarySearchFunc(p.Gaps, offset, func(g Gap, offset uint64) int {
		if g.End <= offset {
			return -1
		}
		return 1
	})
	return at, at < len(p.Gaps) && p.Gaps[at].First <= offset
}

func (p *Position) take(offset uint64) {
	gaps := slices.Clone(p.Gaps) // those of a copy of the positions stay as they are
	if offset >= p.Next {
		if offset > p.Next {
			gaps = append(gaps, Gap{p.Next, offset})
		}
		p.Gaps, p.Next = gaps, offset+1
		return
	}
	k, isGap := p.gap(offset)
	if !isGap {
		return
	}
	var rest []Gap
	if g := gaps[k]; g.First < offset {
		rest = append(rest, Gap{g.First, offset})
	}
	if g := gaps[k]; offset+1 < g.End {
		rest = append(rest, Gap{offset + 1, g.End})
	}
	p.Gaps = slices.Replace(gaps, k, k+1, rest...)
}

// forget leaves out the first gaps where there are many, as far as only replays can fill them.
func (p *Position) forget(settled uint64) {
	n := 0
	for len(p.Gaps)-n > mostGaps && p.Gaps[n].End <= settled {
		p.Known = p.Gaps[n].End
		n++
	}
	p.Gaps = slices.Delete(p.Gaps, 0, n)
}

// positionsVersion is that of the encoding. Version 1 knows no run.
const positionsVersion = 2

type encodedPositions struct {
	Version int `json:"version"`
	Positions
}

// Encode returns the positions as a text for a database. It has some 50 bytes a
// stream, and 40 for each gap.
func (p *Positions) Encode() []byte {
	data, _ := json.Marshal(encodedPositions{positionsVersion, *p}) // numbers and texts cannot fail
	return data
}

// Decode reads what Encode has written; without data there is no message. What a
// newer version has written is refused.
func (p *Positions) Decode(data []byte) error {
	var read encodedPositions
	if len(data) > 0 {
		if err := json.Unmarshal(data, &read); err != nil {
			return fmt.Errorf("the positions of the sink cannot be read: %w", err)
		}
		if read.Version > positionsVersion {
			return fmt.Errorf("the positions of the sink have version %d, written by a newer version of penstock; this one reads up to %d", read.Version, positionsVersion)
		}
		if read.Version < 1 {
			return errors.New("the positions of the sink have no version: were they written by Positions.Encode?")
		}
	}
	for stream, at := range read.Streams {
		end := uint64(0)
		for _, g := range at.Gaps {
			if g.First < end || g.End <= g.First || g.End >= at.Next {
				return fmt.Errorf("the positions of the sink are damaged: of the stream %s, gap %d to %d", stream, g.First, g.End)
			}
			end = g.End
		}
	}
	*p = read.Positions
	return nil
}
