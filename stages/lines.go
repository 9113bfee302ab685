package stages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode/utf8"

	"penstock/engine"
)

// Bounds of one call of a source of lines. A call is what the engine commits
// as a whole, several of them at once when the commits take longer.
const (
	callBytes = 64 << 10
	callLines = 1000

	defaultMaxLine = 1 << 20
)

// LinesState is where a source of lines is: in which file, and how many of its
// bytes it has read.
type LinesState struct {
	Path string `json:"path"`
	// RawPath stands in for a path that is not UTF-8, which JSON would not
	// keep as it is.
	RawPath []byte `json:"raw_path,omitempty"`
	Offset  int64  `json:"offset"`

	files  []string `json:"-"` // from the current one on; nil before the first call of a life
	buffer []byte   `json:"-"`
}

// Lines returns a source that emits the lines of these files, and of all
// files in these directories, as Files.Lines does.
func Lines(roots ...string) engine.SourceFunc[LinesState, string] {
	return Files{Roots: roots}.Lines()
}

// Lines returns a source that emits every line of the files, in the order of
// their paths (compared by their bytes), and then ends. A line is what stands
// before a newline, or at the end of a file without one; bytes that are not
// UTF-8 and carriage returns stay as they are.
//
// The files are listed at each start and must not change while they are read.
// What cannot be right stops the pipeline with an error that names the file: a
// root that does not exist, a line longer than MaxLine, a file that is gone or
// shorter than what was read of it.
//
// No file stays open between two calls. Memory grows with the number of
// files, by their paths, and not with their size. The function holds nothing
// itself and may serve several stages.
func (f Files) Lines() engine.SourceFunc[LinesState, string] {
	if f.MaxLine <= 0 {
		f.MaxLine = defaultMaxLine
	}
	return func(_ context.Context, state *LinesState, emit engine.Emit[string]) error {
		if state.files == nil {
			if err := f.resume(state); err != nil {
				return err
			}
		}
		left := budget{bytes: callBytes, lines: callLines}
		for len(state.files) > 0 && left.some() {
			ended, err := f.readSome(state, emit, &left)
			if err != nil {
				return err
			}
			if ended {
				left.lines-- // also a call that finds many empty files ends
				state.nextFile()
			}
		}
		if len(state.files) == 0 {
			return io.EOF
		}
		return nil
	}
}

// resume lists the files from the one that the state names on.
func (f Files) resume(state *LinesState) error {
	files, err := f.list()
	if err != nil {
		return err
	}
	if path := state.path(); path != "" {
		i, found := slices.BinarySearch(files, path)
		if !found && state.Offset > 0 {
			return engine.Fatal(fmt.Errorf("read %s: it is not among the files any more and %d of its bytes were read: put it back, or start over with a fresh run", path, state.Offset))
		}
		files = files[i:]
		if !found {
			state.Offset = 0
		}
	}
	state.files = files
	if len(files) > 0 {
		state.setPath(files[0])
	}
	return nil
}

func (s *LinesState) path() string {
	if s.RawPath != nil {
		return string(s.RawPath)
	}
	return s.Path
}

func (s *LinesState) setPath(path string) {
	s.Path, s.RawPath = path, nil
	if !utf8.ValidString(path) {
		s.Path, s.RawPath = "", []byte(path)
	}
}

// nextFile leaves the last file's end as the place when there is no other, so
// that a crash before the source's last frame does not read it again.
func (s *LinesState) nextFile() {
	s.files = s.files[1:]
	if len(s.files) > 0 {
		s.setPath(s.files[0])
		s.Offset = 0
	}
}

// budget is what a call may still read.
type budget struct{ bytes, lines int }

func (b budget) some() bool { return b.bytes > 0 && b.lines > 0 }

// readSome emits lines of the current file until its end or until the budget
// is used up, and says whether it was the end.
func (f Files) readSome(state *LinesState, emit engine.Emit[string], left *budget) (ended bool, err error) {
	file, err := openToRead(state)
	if err != nil {
		return false, err
	}
	defer file.Close()
	for left.some() {
		chunk, atEnd, err := f.fill(file, state)
		if err != nil {
			return false, err
		}
		text := string(chunk) // the lines share it
		for len(text) > 0 && left.some() {
			end, next := len(text), len(text)
			if i := bytes.IndexByte(chunk, '\n'); i >= 0 {
				end, next = i, i+1
			}
			if end > f.MaxLine {
				return false, f.tooLong(state)
			}
			emit(text[:end])
			text, chunk = text[next:], chunk[next:]
			state.Offset += int64(next)
			left.bytes -= next
			left.lines--
		}
		if atEnd && len(text) == 0 {
			return true, nil
		}
	}
	return false, nil
}

func openToRead(state *LinesState) (*os.File, error) {
	path := state.path()
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable("open", err)
	}
	info, err := file.Stat()
	if err == nil && info.Size() < state.Offset {
		err = engine.Fatal(fmt.Errorf("read %s: it has %d bytes and %d were read before: it was replaced or cut; put it back, or start over with a fresh run", path, info.Size(), state.Offset))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// fill reads whole lines from the state's offset on, or all there is up to the
// end of the file. The result is valid until the next call.
func (f Files) fill(file *os.File, state *LinesState) (chunk []byte, atEnd bool, err error) {
	for {
		if state.buffer == nil {
			state.buffer = make([]byte, callBytes)
		}
		n, err := file.ReadAt(state.buffer, state.Offset)
		if err != nil && err != io.EOF {
			return nil, false, fmt.Errorf("read %s at byte %d: %w", state.path(), state.Offset, err)
		}
		chunk = state.buffer[:n]
		if err == io.EOF {
			return chunk, true, nil
		}
		if last := bytes.LastIndexByte(chunk, '\n'); last >= 0 {
			return chunk[:last+1], false, nil
		}
		if n > f.MaxLine {
			return nil, false, f.tooLong(state)
		}
		state.buffer = make([]byte, min(2*len(state.buffer), f.MaxLine+1))
	}
}

func (f Files) tooLong(state *LinesState) error {
	return engine.Fatal(fmt.Errorf("read %s: the line at byte %d is longer than %d bytes: raise Files.MaxLine, or split the line", state.path(), state.Offset, f.MaxLine))
}
