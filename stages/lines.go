package stages

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode/utf8"

	"penstock/engine"
	"penstock/engine/remedy"
)

// Bounds of one call of a source of lines. A call is what the engine commits
// as a whole, several of them at once when the commits take longer.
const (
	callBytes = 64 << 10
	callLines = 1000

	defaultMaxLine = 1 << 20
	maxLineMost    = 1 << 30
)

// LinesState is where a source of lines is: in which file, how far in it, and
// what tells that the files are still the same. It stays below 4 KiB, plus the
// length of the path.
type LinesState struct {
	Path string `json:"path"`
	// RawPath stands in for a path that is not UTF-8, which JSON would not
	// keep as it is.
	RawPath []byte `json:"raw_path,omitempty"`
	// Offset is how many bytes of the file's content are read; of a compressed
	// file that is the decompressed content.
	Offset int64 `json:"offset"`
	// Line is how many lines of the file are read.
	Line uint64 `json:"line,omitempty"`
	// Skipped is how many lines of all files were too long and left out.
	Skipped uint64 `json:"skipped,omitempty"`
	// Passed is how many bytes are read of a line that is being left out.
	Passed int64 `json:"passed,omitempty"`
	// IsLetter says that this line is a dead letter already.
	IsLetter bool `json:"is_letter,omitempty"`

	File fileMark `json:"file"`
	List listMark `json:"list"`

	reading *reading `json:"-"`
}

// reading is what a life of the source keeps in memory.
type reading struct {
	files    []string // from the current one on
	buffer   []byte
	checked  bool      // the current file is the one that the place is in
	unpacked *unpacked // of the current file
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
// The files are listed at each start of the stage and must be the same until
// the run is complete. Its place keeps what identifies them, and a start that
// finds something else stops the pipeline with an error that names it: a file
// that is new, gone or renamed; one that was written to after it was read; one
// that was replaced, cut or changed before the place. So does a file that is
// gone or replaced while the source runs. Files.AcceptChanges goes on instead.
// A source that has ended checks them once more at each start, until the run is
// complete; then also a file that has grown is refused.
// The file at the place and those behind it may grow, and those behind it may
// change: they are read as they are when their turn comes. A place of an older
// version does not know the files; it is taken over once, with a warning.
//
// What cannot be right also stops the pipeline with an error that names the
// file: a root that does not exist, a line longer than MaxLine (see LongLines),
// a compressed file that is damaged or of a format that is not read.
//
// No file stays open between two calls. Memory grows with the number of
// files, by their paths, and not with their size. A compressed file is
// decompressed from its beginning when the stage starts within it. The function
// holds nothing itself and may serve several stages.
func (f Files) Lines() engine.SourceFunc[LinesState, string] {
	if f.MaxLine <= 0 {
		f.MaxLine = defaultMaxLine
	}
	f.MaxLine = min(f.MaxLine, maxLineMost)
	return func(ctx context.Context, state *LinesState, emit engine.Emit[string]) error {
		if err := f.LongLines.check(); err != nil {
			return err
		}
		if engine.IsEndCheck(ctx) {
			return f.checkAtEnd(ctx, state)
		}
		if state.reading == nil {
			if err := f.resume(ctx, state); err != nil {
				return err
			}
		}
		left := budget{bytes: callBytes, lines: callLines}
		for len(state.reading.files) > 0 && left.some() {
			ended, err := f.readSome(ctx, state, emit, &left)
			if err != nil {
				return err
			}
			if ended {
				left.lines-- // also a call that finds many empty files ends
				state.nextFile()
			}
		}
		if len(state.reading.files) == 0 {
			if state.Skipped > 0 {
				engine.Logger(ctx).Warn("all files are read; lines that were too long were skipped", "left_out", state.Skipped)
			}
			return io.EOF
		}
		return nil
	}
}

// budget is what a call may still read.
type budget struct{ bytes, lines int }

func (b budget) some() bool { return b.bytes > 0 && b.lines > 0 }

// resume lists the files from the one that the state names on.
func (f Files) resume(ctx context.Context, state *LinesState) error {
	if err := state.check(); err != nil {
		return err
	}
	files, err := f.list(engine.Logger(ctx))
	if err != nil {
		return err
	}
	path, known := state.path(), state.List.Count > 0
	place, found := slices.BinarySearch(files, path)
	if known {
		changes, err := state.List.changes(files, path)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			if !f.AcceptChanges {
				return refused(few(changes))
			}
			engine.Logger(ctx).Warn("the files to read have changed; continuing, since changes are accepted", "changes", few(changes))
			known = false
		}
	} else if path != "" {
		engine.Logger(ctx).Warn("the place in the files was written by an older version without file identities: the files are assumed to be the same", "file", path)
		if !found && state.Offset > 0 && !f.AcceptChanges {
			return refused(fmt.Sprintf("%s is gone, and %d of its bytes were read", path, state.Offset))
		}
	}
	if !found {
		state.begin()
	}
	state.reading = &reading{files: files[place:]}
	if !known {
		state.List = newListMark(files)
		for _, name := range files[:place] {
			if err := state.List.passFile(name); err != nil {
				return err
			}
		}
	}
	if len(state.reading.files) > 0 {
		state.setPath(state.reading.files[0])
	}
	return nil
}

// refused says what to do about files that are not as they were.
func refused(what string) error {
	return engine.Fatal(remedy.Errorf("the files to read have changed since the last commit: %s: restore what was there, start over with %v, "+
		"or continue with the files as they are now with %v", what, remedy.Fresh, TakeChanges))
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

// begin is the place at the beginning of a file.
func (s *LinesState) begin() {
	s.Offset, s.Line, s.Passed, s.IsLetter, s.File = 0, 0, 0, false, fileMark{}
}

// nextFile leaves the last file's end as the place when there is no other, so
// that a crash before the source's last frame does not read it again.
func (s *LinesState) nextFile() {
	r := s.reading
	if r.files = r.files[1:]; len(r.files) == 0 {
		return
	}
	s.List.pass(s.path(), s.File.Size, s.File.Modified)
	s.setPath(r.files[0])
	s.begin()
	r.checked, r.unpacked = false, nil
}

// content is what a file holds, as long as it is open.
type content struct {
	*os.File
	info     os.FileInfo
	unpacked *unpacked // nil: it is not compressed
}

// ReadAt reads from an offset of the content.
func (c *content) ReadAt(p []byte, offset int64) (int, error) {
	if c.unpacked != nil {
		return c.unpacked.ReadAt(p, offset)
	}
	return c.File.ReadAt(p, offset)
}

func (c *content) format() string {
	if c.unpacked == nil {
		return ""
	}
	return c.unpacked.format
}
