package stages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"penstock/engine"
	"penstock/engine/remedy"
)

// readSome emits lines of the current file until its end or until the budget
// is used up, and says whether it was the end.
func (f Files) readSome(ctx context.Context, state *LinesState, emit engine.Emit[string], left *budget) (ended bool, err error) {
	c, err := f.open(ctx, state)
	if err != nil {
		return false, err
	}
	defer c.Close()
	for left.some() {
		chunk, atEnd, err := f.fill(c, state)
		if err != nil {
			return false, err
		}
		read := chunk
		if state.Passed > 0 || isPart(chunk, atEnd) {
			read, err = f.passLong(ctx, c, state, chunk, atEnd)
			left.bytes -= len(read)
		} else {
			read, err = f.emitLines(ctx, state, chunk, emit, left)
		}
		if err != nil {
			return false, err
		}
		if atEnd && len(read) == len(chunk) {
			return state.atEnd(c)
		}
	}
	return false, nil
}

// emitLines emits the lines of a chunk and returns what it has read of it. With
// a line that becomes a dead letter the call ends, and the place is behind it.
func (f Files) emitLines(ctx context.Context, state *LinesState, chunk []byte, emit engine.Emit[string], left *budget) (read []byte, err error) {
	text, at := string(chunk), 0 // the lines share it
	for at < len(chunk) && left.some() && err == nil {
		end, next := len(chunk), len(chunk)
		if i := bytes.IndexByte(chunk[at:], '\n'); i >= 0 {
			end, next = at+i, at+i+1
		}
		if end-at > f.MaxLine {
			if !f.LongLines.passes() {
				return nil, f.tooLong(state, state.Offset+int64(at), int64(end-at), "")
			}
			err = f.leaveOut(ctx, state, int64(at), chunk[at:end], f.ownLimit())
		} else if most, fits := send(emit, text[at:end]); most > 0 {
			if !f.LongLines.passes() {
				return nil, f.unsendable(state, state.Offset+int64(at), int64(end-at), most)
			}
			err = f.leaveOut(ctx, state, int64(at), chunk[at:end], sendLimit(most))
		} else if !fits {
			left.lines = 0
			break
		}
		state.Line++
		left.bytes -= next - at
		left.lines--
		at = next
	}
	state.pass(chunk[:at])
	return chunk[:at], err
}

// pass moves the place behind what was read.
func (s *LinesState) pass(read []byte) {
	s.File.pass(s.Offset, read)
	s.Offset += int64(len(read))
}

// atEnd says that the file is read as far as it reaches. What was written to it
// in this very moment is read too.
func (s *LinesState) atEnd(c *content) (bool, error) {
	info, err := c.Stat()
	if err != nil {
		return false, err
	}
	if c.unpacked == nil && info.Size() != s.Offset || c.unpacked != nil && info.Size() != c.info.Size() {
		return false, nil
	}
	s.File.see(info)
	return true, nil
}

// open opens the current file, provided that it is the one that the place is
// in.
func (f Files) open(ctx context.Context, state *LinesState) (*content, error) {
	// A pipe that has taken the place of a file would wait for a writer.
	file, err := os.OpenFile(state.path(), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, engine.Fatal(remedy.Errorf("the files to read: %w: restore it, start over with %v, or continue without it with %v", err, remedy.Fresh, TakeChanges))
	}
	if err != nil {
		return nil, unreadable("open", err)
	}
	c := &content{File: file}
	if err := f.check(ctx, c, state); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	state.reading.checked = true
	state.reading.unpacked = c.unpacked
	return c, nil
}

func (f Files) check(ctx context.Context, c *content, state *LinesState) (err error) {
	if c.info, err = c.Stat(); err != nil {
		return err
	}
	if !c.info.Mode().IsRegular() {
		return notRegular(state.path())
	}
	r, mark := state.reading, &state.File
	if r.checked && r.unpacked != nil && mark.untouched(c.info) {
		c.unpacked = r.unpacked
		c.unpacked.raw.file = c.File
		return nil
	}
	if c.unpacked, err = newUnpacked(state.path(), c.File); err != nil {
		return err
	}
	if c.unpacked != nil {
		c.unpacked.raw.file = c.File
	}
	if !mark.Known && state.Offset > 0 {
		return state.learn(c)
	}
	what, err := mark.changed(c, state.Offset, !r.checked)
	if err != nil {
		return fmt.Errorf("read %s: %w", state.path(), err)
	}
	if what != "" {
		if !f.AcceptChanges {
			return refused(state.path() + ": " + what)
		}
		engine.Logger(ctx).Warn("the current file has changed; reading it from its beginning, since changes are accepted", "file", state.path(), "change", what)
		state.begin()
	}
	mark.see(c.info)
	mark.Format = c.format()
	return nil
}

// learn notes what identifies the file in a place of an older version.
func (s *LinesState) learn(c *content) error {
	if c.unpacked != nil {
		return refused(fmt.Sprintf("%s: it is compressed (%s), and an older version read its bytes as text", s.path(), c.format()))
	}
	s.File, s.Line = fileMark{}, 0
	n, lines, err := s.File.passAll(c, s.Offset)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.path(), err)
	}
	if n < s.Offset {
		return refused(fmt.Sprintf("%s: it has %d bytes and %d were read before: it was replaced or cut", s.path(), n, s.Offset))
	}
	s.Line = lines
	s.File.see(c.info)
	return nil
}

// fill reads whole lines from the state's offset on, or all there is up to the
// end of the file, or the beginning of a line that is too long. The result is
// valid until the next call.
func (f Files) fill(c *content, state *LinesState) (chunk []byte, atEnd bool, err error) {
	r := state.reading
	for {
		if r.buffer == nil {
			r.buffer = make([]byte, callBytes)
		}
		n, err := c.ReadAt(r.buffer, state.Offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, false, fmt.Errorf("read %s at byte %d: %w", state.path(), state.Offset, err)
		}
		chunk = r.buffer[:n]
		if err != nil {
			return chunk, true, nil
		}
		if last := bytes.LastIndexByte(chunk, '\n'); last >= 0 {
			return chunk[:last+1], false, nil
		}
		if n > f.MaxLine || state.Passed > 0 {
			return chunk, false, nil
		}
		r.buffer = make([]byte, min(2*len(r.buffer), f.MaxLine+1))
	}
}

func newlines(data []byte) uint64 { return uint64(bytes.Count(data, []byte{'\n'})) }
