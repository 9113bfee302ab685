package frame

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"penstock/internal/format"
)

// Decode reads a frame and checks all of it, so that nothing that is done with the frame later can fail. The frame
// aliases data, which must not change while it is in use. Errors wrap ErrNewerVersion, ErrChecksum, ErrTruncated,
// ErrCorrupt or ErrTooLarge.
func Decode(data []byte) (*Frame, error) { return decode(data, buildState) }

// DecodeOutputs is Decode for those who read a channel and do not own it: it checks the state like the rest, but leaves
// the frame's State at zero, which spares an allocation per changed key.
func DecodeOutputs(data []byte) (*Frame, error) { return decode(data, skipState) }

type stateMode uint8

const (
	buildState stateMode = iota
	skipState
)

func decode(data []byte, mode stateMode) (*Frame, error) {
	flags, body, err := open(data)
	if err != nil {
		return nil, err
	}
	if flags&flagCompressed != 0 {
		if body, err = decompress(body); err != nil {
			return nil, err
		}
	}
	f := &Frame{
		Ended:    flags&flagEnded != 0,
		UsedUp:   flags&flagUsedUp != 0,
		EndPhase: flags&flagEndPhase != 0,
	}
	if flags&flagFence != 0 {
		f.Kind = KindFence
	}
	r := reader{data: body, index: -1}
	if data[versionAt] == versionExtended {
		r.features(f)
	}
	r.frame(f, mode, flags)
	if r.err != nil {
		return nil, r.err
	}
	return f, nil
}

// open checks everything around the body. The version comes before the checksum, since another version may have
// another.
func open(data []byte) (flags byte, body []byte, err error) {
	if len(data) < headerSize+trailerSize {
		return 0, nil, fmt.Errorf("frame: header: %w: %d bytes, the shortest frame has more", ErrTruncated, len(data))
	}
	if len(data) > MaxSize {
		return 0, nil, fmt.Errorf("frame: header: %w: %d bytes, the limit is %d", ErrTooLarge, len(data), MaxSize)
	}
	if string(data[:len(magic)]) != magic {
		return 0, nil, fmt.Errorf("frame: header: %w: begins with %q, not with %q", ErrCorrupt, data[:len(magic)], magic)
	}
	switch v := data[len(magic)]; {
	case v > Version:
		return 0, nil, fmt.Errorf("frame: header: %w", format.Newer("it", uint64(v), Version))
	case v == 0:
		return 0, nil, fmt.Errorf("frame: header: %w: there is no version 0", ErrCorrupt)
	}
	content, trailer := data[:len(data)-trailerSize], data[len(data)-trailerSize:]
	want, got := binary.LittleEndian.Uint32(trailer), crc32.Checksum(content, castagnoli)
	if want != got {
		return 0, nil, fmt.Errorf("frame: %w: %d bytes with checksum %08x carry %08x", ErrChecksum, len(data), got, want)
	}
	flags = data[flagsAt]
	content = content[headerSize:]
	if err := checkVersion(data[versionAt], flags, len(content)); err != nil {
		return 0, nil, err
	}
	if flags&flagSigned != 0 {
		flags, content = flags&^flagSigned, content[:len(content)-signatureSize]
	}
	if unknown := flags &^ flagsKnown; unknown != 0 {
		return 0, nil, fmt.Errorf("frame: header: %w: unknown flags %#x", ErrCorrupt, unknown)
	}
	return flags, content, nil
}

// checkVersion sees to it that a frame has the lowest version that it can be written in, and room for what its flags
// announce.
func checkVersion(version, flags byte, size int) error {
	signed, counts := flags&flagSigned != 0, flags&flagTally != 0
	switch {
	case version == versionSigned && !signed:
		return fmt.Errorf("frame: header: %w: version %d without a signature", ErrCorrupt, version)
	case version < versionTally && counts, version == versionTally && !counts:
		return fmt.Errorf("frame: header: %w: version %d with flags %#x", ErrCorrupt, version, flags)
	case signed && version == versionPlain:
		return fmt.Errorf("frame: header: %w: unknown flags %#x", ErrCorrupt, flags)
	case signed && size < signatureSize:
		return fmt.Errorf("frame: header: %w: %d bytes are no signature", ErrTruncated, size)
	}
	return nil
}

func (r *reader) frame(f *Frame, mode stateMode, flags byte) {
	r.part("commit")
	f.Owner = r.number()
	f.Epoch = r.number()
	f.Commit = r.number()
	f.Steps = r.number()
	f.Inputs = r.inputs(flags&flagWaiting != 0, f.Watermark.Time)
	if flags&flagWaiting != 0 && r.err == nil && !f.hasWaiting() {
		r.fail(ErrCorrupt, "the frame announces waiting messages and has none")
	}
	f.Timers = r.timers()
	r.part("cursor")
	f.Cursor = string(r.bytes())
	if flags&flagTally != 0 {
		f.Tally = r.tally()
	}
	if r.has(FeatureNotes) {
		f.Notes = r.notes()
	}
	f.State = r.state(mode)
	f.Sections = r.sections()
	r.part("end")
	if r.at < len(r.data) {
		r.fail(ErrCorrupt, fmt.Sprintf("%d bytes follow the last section", len(r.data)-r.at))
	}
	r.checkFound()
	if r.err == nil {
		if err := f.checkKind(r.stateKind); err != nil {
			r.err = fmt.Errorf("frame: %w", err)
		}
	}
}

// inputs reads the positions; time is that of the frame's watermark.
func (r *reader) inputs(hasWaiting bool, time int64) []Position {
	r.part("inputs")
	n := r.count(4)
	if n == 0 {
		return nil
	}
	list := make([]Position, n)
	r.where = "input"
	for i := range list {
		r.index = i
		p := &list[i]
		p.Stream = string(r.bytes())
		p.Instance = r.number32()
		p.Offset = r.number()
		p.Sequence = r.number()
		if hasWaiting {
			r.waiting(p)
		}
		if r.has(FeatureInputs) {
			if p.Watermark = r.watermark(FeatureInputs, time); p.Watermark.Known {
				time = p.Watermark.Time
			}
		}
		if r.err != nil {
			return nil
		}
	}
	return list
}

func (r *reader) waiting(p *Position) {
	n := r.count(1)
	if n == 0 {
		return
	}
	distance := r.number()
	p.Waiting = make([]uint64, n)
	p.Waiting[0] = p.Offset
	for k := range n - 1 {
		p.Waiting[k+1] = p.Waiting[k] + r.number()
	}
	p.Reached = p.Offset + distance
	if r.err == nil && !p.isWritable() {
		r.fail(ErrCorrupt, fmt.Sprintf("offsets %d cannot wait within %d to %d", p.Waiting, p.Offset, p.Reached))
	}
}

func (r *reader) timers() []int64 {
	r.part("timers")
	n := r.count(1)
	if n == 0 {
		return nil
	}
	list := make([]int64, n)
	for i := range list {
		list[i] = unzigzag(r.number())
	}
	return list
}

func (r *reader) state(mode stateMode) State {
	r.part("state")
	r.stateKind = StateKind(r.byte())
	switch kind := r.stateKind; kind {
	case StateAbsent:
		return State{}
	case StateWhole:
		whole := r.bytes()
		if mode == skipState {
			return State{}
		}
		return State{Kind: kind, Whole: whole}
	case StateKeyed:
		changes := r.changes(mode)
		if mode == skipState {
			return State{}
		}
		return State{Kind: kind, Changes: changes}
	default:
		r.fail(ErrCorrupt, fmt.Sprintf("unknown kind %d", kind))
		return State{}
	}
}

func (r *reader) sections() []Section {
	r.part("sections")
	n := r.count(5)
	if n == 0 {
		return nil
	}
	list := make([]Section, n)
	r.where = "section"
	for i := range list {
		r.index = i
		s := &list[i]
		s.Branch = string(r.bytes())
		s.Partition = r.number32()
		s.Base = r.number()
		s.Count = r.number32()
		if s.Base > math.MaxUint64-uint64(s.Count) {
			r.fail(ErrCorrupt, fmt.Sprintf("%d messages from offset %d", s.Count, s.Base))
		}
		s.block = r.bytes()
		if r.err != nil {
			return nil
		}
		last, err := checkBlock(s.block, s.Count)
		if err != nil {
			r.err = fmt.Errorf("frame: section %d, %w", i, err)
			return nil
		}
		s.last = last
	}
	return list
}

// Begins says whether data begins like a frame, whatever follows.
func Begins(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }
