package frame

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

const (
	magic       = "PSTK"
	headerSize  = len(magic) + 2 // version, flags
	versionAt   = len(magic)
	flagsAt     = headerSize - 1
	trailerSize = 4
)

const (
	flagFence      = 1
	flagEnded      = 2
	flagEndPhase   = 4
	flagWaiting    = 8
	flagUsedUp     = 16
	flagSigned     = 32
	flagTally      = 64
	flagCompressed = 128
	flagsKnown     = flagFence | flagEnded | flagEndPhase | flagWaiting | flagUsedUp | flagTally | flagCompressed
)

// The versions of the format. A frame is written in the lowest that has what it needs.
const (
	versionPlain    = 1
	versionSigned   = 2 // with a signature, see Keys
	versionTally    = 3 // with counts of messages given up, signed or not
	versionExtended = 4 // with features, with or without a signature and counts
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Options say how a frame is written. The zero value is ready: no compression.
type Options struct {
	Compression Compression // default None; S2 is left out for a frame that it would not make smaller
}

// Append encodes f behind dst and returns the longer slice. The same frame gives the same bytes. It fails, and returns
// dst as it was, with ErrTooLarge when the frame would be larger than MaxSize, compressed or not, and with ErrCorrupt
// when f cannot be written: an unknown kind or compression, a content that does not fit the kind, notes or timers of a
// key that are out of order, offsets beyond 64 bits, or a count that the caller changed.
func Append(dst []byte, f *Frame, o Options) ([]byte, error) {
	if err := writable(f, o); err != nil {
		return dst, err
	}
	start := len(dst)
	b := slices.Grow(dst, f.sizeHint())
	used := f.Features()
	b = append(b, magic...)
	b = append(b, f.version(used), f.flags())
	b = f.appendBody(b, used)
	if size := len(b) - start + trailerSize; size > MaxSize {
		return dst, tooLarge(size)
	}
	if o.Compression == S2 {
		var compressed bool
		if b, compressed = compress(b, start+headerSize); compressed {
			b[start+flagsAt] |= flagCompressed
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// writable refuses what would cost a lot to find out later, or could not be read again.
func writable(f *Frame, o Options) error {
	if o.Compression > S2 {
		return fmt.Errorf("frame: encode: %w: unknown %v", ErrCorrupt, o.Compression)
	}
	if f.State.Kind > StateKeyed {
		return fmt.Errorf("frame: encode: %w: unknown state kind %d", ErrCorrupt, f.State.Kind)
	}
	if err := f.checkKind(f.State.Kind); err != nil {
		return fmt.Errorf("frame: encode: %w", err)
	}
	if err := f.writableLists(); err != nil {
		return fmt.Errorf("frame: encode: %w", err)
	}
	size := f.State.size() + f.Notes.size()
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Base > math.MaxUint64-uint64(s.Count) {
			return fmt.Errorf("frame: encode: section %d: %w: %d messages from offset %d", i, ErrCorrupt, s.Count, s.Base)
		}
		if (s.Count == 0) != (len(s.block) == 0) || uint64(s.Count)*minRow > uint64(len(s.block)) {
			return fmt.Errorf("frame: encode: section %d: %w: %d bytes cannot be %d messages", i, ErrCorrupt, len(s.block), s.Count)
		}
		size += len(s.block)
	}
	if size > MaxSize {
		return tooLarge(size)
	}
	return nil
}

func (f *Frame) writableLists() error {
	isTimeKept := f.Watermark.isWritable()
	for i := range f.Inputs {
		p := &f.Inputs[i]
		isTimeKept = isTimeKept && p.Watermark.isWritable()
		if !p.isWritable() {
			return fmt.Errorf("input %d: %w: offsets %d cannot wait within %d to %d", i, ErrCorrupt, p.Waiting, p.Offset, p.Reached)
		}
	}
	switch {
	case !isTimeKept:
		return fmt.Errorf("%w: a watermark with a time that is not known", ErrCorrupt)
	case !f.Tally.isWritable():
		return fmt.Errorf("%w: counts that are 0 or out of order: %v", ErrCorrupt, f.Tally.Letters)
	case !f.Notes.isWritable():
		return fmt.Errorf("%w: names of notes that do not ascend", ErrCorrupt)
	case f.State.Kind != StateKeyed:
		return nil
	}
	for i := range f.State.Changes {
		if c := &f.State.Changes[i]; !c.isWritable() {
			return fmt.Errorf("state change %d: %w: timers out of order: %v", i, ErrCorrupt, c.Due)
		}
	}
	return nil
}

func tooLarge(size int) error {
	return fmt.Errorf("frame: encode: %w: %d bytes, the limit is %d", ErrTooLarge, size, MaxSize)
}

func (f *Frame) version(used Features) byte {
	switch {
	case used != 0:
		return versionExtended
	case f.Tally.IsZero():
		return versionPlain
	}
	return versionTally
}

func (f *Frame) flags() byte {
	var b byte
	if f.Kind == KindFence {
		b |= flagFence
	}
	if f.UsedUp {
		b |= flagUsedUp
	}
	if f.Ended {
		b |= flagEnded
	}
	if f.EndPhase {
		b |= flagEndPhase
	}
	if f.hasWaiting() {
		b |= flagWaiting
	}
	if !f.Tally.IsZero() {
		b |= flagTally
	}
	return b
}

func (f *Frame) hasWaiting() bool {
	for i := range f.Inputs {
		if len(f.Inputs[i].Waiting) > 0 {
			return true
		}
	}
	return false
}

// sizeHint is close enough to the encoded size that encoding grows its buffer once at most.
func (f *Frame) sizeHint() int {
	n := 128 + len(f.Cursor) + 10*len(f.Timers) + f.Tally.sizeHint() + f.Notes.size() + 8*len(f.Notes)
	for i := range f.Inputs {
		n += 48 + len(f.Inputs[i].Stream) + 3*len(f.Inputs[i].Waiting)
	}
	n += f.State.size() + 8*len(f.State.Changes)
	for i := range f.Sections {
		n += 32 + len(f.Sections[i].Branch) + len(f.Sections[i].block)
	}
	return n
}

// size is what the state's keys and values take, without their lengths.
func (s *State) size() int {
	n := 0
	switch s.Kind {
	case StateWhole:
		n = len(s.Whole)
	case StateKeyed:
		for i := range s.Changes {
			n += s.Changes[i].size()
		}
	}
	return n
}

func (f *Frame) appendBody(b []byte, used Features) []byte {
	if used != 0 {
		b = f.appendFeatures(b, used)
	}
	b = appendUvarint(b, f.Owner)
	b = appendUvarint(b, f.Epoch)
	b = appendUvarint(b, f.Commit)
	b = appendUvarint(b, f.Steps)
	b = appendUvarint(b, uint64(len(f.Inputs)))
	hasWaiting, time := f.hasWaiting(), f.Watermark.Time
	for i := range f.Inputs {
		p := &f.Inputs[i]
		b = appendBytes(b, p.Stream)
		b = appendUvarint(b, uint64(p.Instance))
		b = appendUvarint(b, p.Offset)
		b = appendUvarint(b, p.Sequence)
		if hasWaiting {
			b = p.appendWaiting(b)
		}
		if used&FeatureInputs != 0 {
			b, time = p.Watermark.append(b, time)
		}
	}
	b = appendUvarint(b, uint64(len(f.Timers)))
	for _, due := range f.Timers {
		b = appendUvarint(b, zigzag(due))
	}
	b = appendBytes(b, f.Cursor)
	if !f.Tally.IsZero() {
		b = f.Tally.append(b)
	}
	if used&FeatureNotes != 0 {
		b = f.Notes.append(b)
	}
	b = f.State.append(b, used)
	b = appendUvarint(b, uint64(len(f.Sections)))
	for i := range f.Sections {
		s := &f.Sections[i]
		b = appendBytes(b, s.Branch)
		b = appendUvarint(b, uint64(s.Partition))
		b = appendUvarint(b, s.Base)
		b = appendUvarint(b, uint64(s.Count))
		b = appendBytes(b, s.block)
	}
	return b
}

// appendWaiting writes how many wait, how far Reached is from Offset, and every
// further one's distance to the one before.
func (p *Position) appendWaiting(b []byte) []byte {
	b = appendUvarint(b, uint64(len(p.Waiting)))
	if len(p.Waiting) == 0 {
		return b
	}
	b = appendUvarint(b, p.Reached-p.Offset)
	for k := range p.Waiting[1:] {
		b = appendUvarint(b, p.Waiting[k+1]-p.Waiting[k])
	}
	return b
}

func (s *State) append(b []byte, used Features) []byte {
	b = append(b, byte(s.Kind))
	switch s.Kind {
	case StateWhole:
		b = appendBytes(b, s.Whole)
	case StateKeyed:
		b = appendChanges(b, s.Changes, used)
	}
	return b
}

func appendBytes[T string | []byte](b []byte, v T) []byte {
	return append(appendUvarint(b, uint64(len(v))), v...)
}
