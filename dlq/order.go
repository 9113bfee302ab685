package dlq

import (
	"cmp"
	"context"
	"slices"
)

// place is where a letter stands in the order of origin.
type place struct {
	stream   uint32 // number of the input, of one instance of a stage
	offset   uint64
	sequence uint64
}

func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(p.stream, other.stream), cmp.Compare(p.offset, other.offset),
		cmp.Compare(p.sequence, other.sequence))
}

// placesAtOnce is how many places a pass keeps at least; it sorts and cuts when it has twice as many.
const placesAtOnce = 1 << 19

func (q *Queue) inOriginOrder(ctx context.Context, f Filter, last uint64, bad *damage, visit func(uint64, *Letter) error) error {
	p := placing{atOnce: q.placesAtOnce, streams: map[origin]uint32{}}
	for {
		p.begin()
		if err := q.list(ctx, f, last, bad, func(l Letter) error { p.add(l); return nil }); err != nil {
			return err
		}
		p.end()
		for _, found := range p.found {
			if err := visit(found.sequence, nil); err != nil {
				return err
			}
		}
		if !p.more {
			return nil
		}
		bad = new(damage) // every pass meets the same
	}
}

// placing gathers, pass by pass, the next places in order.
type placing struct {
	atOnce  int
	streams map[origin]uint32 // by origin without offset
	found   []place
	after   *place // nothing up to here
	more    bool   // something was cut
}

func (p *placing) begin() {
	if n := len(p.found); n > 0 {
		end := p.found[n-1]
		p.after = &end
	}
	p.found, p.more = p.found[:0], false
}

func (p *placing) add(l Letter) {
	o := l.origin()
	o.offset = 0
	stream, known := p.streams[o]
	if !known {
		stream = uint32(len(p.streams))
		p.streams[o] = stream
	}
	at := place{stream, l.Offset, l.Sequence}
	if p.after != nil && at.compare(*p.after) <= 0 {
		return
	}
	p.found = append(p.found, at)
	if len(p.found) == 2*p.atOnce {
		p.cut(p.atOnce)
	}
}

// end sorts what is found. After a cut only so many are known to be the next ones.
func (p *placing) end() {
	if p.more {
		p.cut(p.atOnce)
	} else {
		p.cut(len(p.found))
	}
}

func (p *placing) cut(most int) {
	slices.SortFunc(p.found, place.compare)
	p.found = slices.Compact(p.found)
	if len(p.found) > most {
		p.found, p.more = p.found[:most], true
	}
}
