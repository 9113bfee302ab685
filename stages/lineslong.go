package stages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"penstock/engine"
	"penstock/engine/remedy"
)

// isPart says that a chunk is the beginning of a line that is too long.
func isPart(chunk []byte, atEnd bool) bool {
	return !atEnd && bytes.IndexByte(chunk, '\n') < 0
}

// passLong reads a piece of a line that is too long.
func (f Files) passLong(ctx context.Context, c *content, state *LinesState, chunk []byte, atEnd bool) (read []byte, err error) {
	if !f.LongLines.passes() {
		size, more, err := lineSize(c, state.Offset)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", state.path(), err)
		}
		return nil, f.tooLong(state, state.Offset, state.Passed+size, more)
	}
	end := bytes.IndexByte(chunk, '\n')
	read = chunk[:end+1]
	if end < 0 {
		end, read = len(chunk), chunk
		if !atEnd {
			if state.Passed == 0 && f.LongLines == LetterLongLines {
				state.IsLetter, err = true, f.letter(state, 0, chunk, "more than ", f.ownLimit())
			}
			state.Passed += int64(end)
			state.pass(read)
			return read, err
		}
	}
	if !state.IsLetter {
		state.skip(ctx, state.Passed+int64(end), f.MaxLine)
	}
	state.Line, state.Passed, state.IsLetter = state.Line+1, 0, false
	state.pass(read)
	return read, nil
}

// lineLimit is what a line is too long for.
type lineLimit struct {
	bytes int
	what  error
}

func (f Files) ownLimit() lineLimit {
	return lineLimit{f.MaxLine, remedy.Errorf("the limit is %d (%v)", f.MaxLine, RaiseMaxLine)}
}

func sendLimit(most int) lineLimit {
	return lineLimit{most, fmt.Errorf("a message of the server takes %d", most)}
}

// plainBytes is what fits into a message of any server, and needs no question.
const plainBytes = 1 << 10

// send emits a line. Where it does not fit into a message of the server, most is what does; otherwise it fits, or does
// not beside what the call has emitted before.
func send(emit engine.Emit[string], line string) (most int, fits bool) {
	if len(line) <= plainBytes {
		emit(line)
		return 0, true
	}
	err := emit.Try(line)
	var tooLarge *engine.TooLargeError
	switch {
	case err == nil:
		return 0, true
	case !errors.As(err, &tooLarge):
		emit(line) // what else is wrong with it is for the engine
		return 0, true
	case tooLarge.Stream == "":
		return 0, false
	}
	return tooLarge.Limit, false
}

// leaveOut skips a line of a chunk, or rejects it.
func (f Files) leaveOut(ctx context.Context, state *LinesState, at int64, line []byte, limit lineLimit) error {
	if f.LongLines == LetterLongLines {
		return f.letter(state, at, line, "", limit)
	}
	state.skip(ctx, int64(len(line)), limit.bytes)
	return nil
}

// letter is the error that makes a dead letter of a line.
func (f Files) letter(state *LinesState, at int64, line []byte, more string, limit lineLimit) error {
	size := len(line)
	if more != "" {
		size = f.MaxLine
	}
	return engine.RejectValue(line, fmt.Errorf("%s: line %d, at byte %d, has %s%d bytes, and %w",
		state.path(), state.Line+1, state.Offset+at, more, size, limit.what))
}

// skip counts a line that is left out.
func (s *LinesState) skip(ctx context.Context, size int64, most int) {
	engine.CountDropped(ctx, 1)
	if s.Skipped++; s.Skipped <= 10 || isPowerOfTen(s.Skipped) {
		engine.Logger(ctx).Warn("skipped a line that is too long", "file", s.path(), "line", s.Line+1, "bytes", size, "limit", most, "left_out", s.Skipped)
	}
}

func isPowerOfTen(n uint64) bool {
	for n > 1 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}

// lineMost bounds how far the end of a line is looked for, to tell its size.
const lineMost = 256 << 20

// lineSize measures the line at an offset. More says that it is longer.
func lineSize(c *content, offset int64) (size int64, more string, err error) {
	buffer := make([]byte, callBytes)
	for size < lineMost {
		n, err := c.ReadAt(buffer, offset+size)
		if end := bytes.IndexByte(buffer[:n], '\n'); end >= 0 {
			return size + int64(end), "", nil
		}
		size += int64(n)
		if errors.Is(err, io.EOF) {
			return size, "", nil
		}
		if err != nil {
			return 0, "", err
		}
	}
	return size, "more than ", nil
}

func (f Files) tooLong(state *LinesState, offset, size int64, more string) error {
	return engine.Fatal(remedy.Errorf("read %s: line %d, at byte %d, has %s%d bytes, and the limit is %d: raise it with %v, "+
		"skip such lines with %v, make them dead letters with %v, or split the line", state.path(), state.Line+1, offset, more, size, f.MaxLine,
		RaiseMaxLine, SetLongLines.For(string(SkipLongLines)), SetLongLines.For(string(LetterLongLines))))
}

// unsendable is the error that stops at a line within MaxLine that no message can carry.
func (f Files) unsendable(state *LinesState, offset, size int64, most int) error {
	return engine.Fatal(remedy.Errorf("read %s: line %d, at byte %d, has %d bytes, within the limit of %d (%v), and a message of the server takes %d: "+
		"skip such lines with %v, make them dead letters with %v, split the line, "+
		"or use a server with a larger max_payload (%v)", state.path(), state.Line+1, offset, size, f.MaxLine, RaiseMaxLine, most,
		SetLongLines.For(string(SkipLongLines)), SetLongLines.For(string(LetterLongLines)), remedy.NATS))
}
