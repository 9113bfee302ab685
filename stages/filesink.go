package stages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"penstock/engine"
	"penstock/internal/userfile"
)

// FileSink declares a sink that writes every message to a file exactly once,
// in the order of the stream.
//
// The length of the file is part of each commit, and the file is synced to
// disk before. What was written after the last commit is cut off before the
// stage writes again, and it goes on from there. The file therefore belongs to the
// pipeline: a run that starts over (its first one too) empties a file that is
// there already. It does so with its first message, or with its end: a run that
// fails before leaves the file as it was.
//
// A file that is gone or shorter than what was committed stops the pipeline
// with an error: put it back, or start over. The directory must exist. When
// the disk is full the stage is restarted, with growing delays, until there is
// room; no message is diverted for it.
//
// Links on the path are followed if they belong to the user or to root. A link of
// another user, and in a directory where all may write a file of another user,
// stops the pipeline.
func FileSink[T any](scope engine.Scope, name string, in *engine.Stream[T], path string, format Format[T]) {
	sink := &fileSink[T]{path: path, format: format}
	engine.Sink(scope, name, in, sink.write, engine.Hooks[fileState, engine.None]{
		Start:        sink.start,
		BeforeCommit: sink.beforeCommit,
		Stop:         sink.stop,
	})
}

// CheckFile returns the error that FileSink would begin with if it had committed
// nothing yet: the directory is missing, or what is there is no regular file, may
// not be written to, or belongs to another user. A program calls it before
// engine.Pipeline.Run, which deletes a complete earlier run. It changes nothing.
func CheckFile(path string) error {
	info, err := statAt(path, 0)
	if err != nil {
		return err
	}
	if info != nil {
		file, err := userfile.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return unwritable(err)
		}
		return file.Close()
	}
	place, err := userfile.Resolve(path)
	if err == nil {
		_, err = os.Stat(filepath.Dir(place.Path))
	}
	if err != nil {
		return unwritable(err)
	}
	return nil
}

// fileState is what is committed, and the open file while the stage runs. The
// engine rolls back by decoding what is committed, so that after it file is
// nil, and what was buffered since the last commit is forgotten.
type fileState struct {
	Length int64     `json:"length"`
	file   *openFile `json:"-"`
}

type openFile struct {
	*os.File
	buffer []byte
	length int64 // written, the buffer excluded
	synced int64 // of it, on disk
	excess bool  // the file has more, which no commit knows
	err    error // of the first failed write
}

// fileSink is one sink. Its functions are called by one goroutine at a time.
type fileSink[T any] struct {
	path   string
	format Format[T]
	open   *openFile // to be closed, also when the state has forgotten it
}

func (s *fileSink[T]) start(_ context.Context, state *fileState, _ engine.Emit[engine.None]) error {
	return s.reopen(state)
}

// write does not answer with a failed write: it is not the message's fault,
// and must not count as one. beforeCommit tells it.
func (s *fileSink[T]) write(_ context.Context, state *fileState, m engine.Message[T]) error {
	if err := s.reopen(state); err != nil {
		state.file = &openFile{err: err}
	}
	f := state.file
	f.buffer = s.format(f.buffer, m.Value)
	if len(f.buffer) >= flushAt {
		f.flush()
	}
	return nil
}

func (s *fileSink[T]) beforeCommit(_ context.Context, state *fileState) error {
	if err := s.reopen(state); err != nil {
		return err
	}
	f := state.file
	f.flush()
	f.cut()
	if f.err == nil && f.synced < f.length {
		f.err = f.Sync()
	}
	if f.err != nil {
		return fmt.Errorf("write the sink's file: %w", f.err)
	}
	f.synced, state.Length = f.length, f.length
	return nil
}

func (s *fileSink[T]) stop(_ context.Context, state *fileState) error {
	state.file = nil
	return s.close()
}

func (s *fileSink[T]) close() error {
	if s.open == nil {
		return nil
	}
	err := s.open.Close()
	s.open = nil
	return err
}

// flush remembers its first error and does nothing after it.
func (f *openFile) flush() {
	if len(f.buffer) > 0 {
		f.cut()
	}
	if f.err == nil && len(f.buffer) > 0 {
		var n int
		n, f.err = f.Write(f.buffer)
		f.length += int64(n)
	}
	f.buffer = f.buffer[:0]
}

// cut makes the file end at what is written. It does nothing after an error.
func (f *openFile) cut() {
	if f.err != nil || !f.excess {
		return
	}
	f.err = f.Truncate(f.length)
	f.excess, f.synced = f.err != nil, -1 // a power cut must not bring it back
}

// reopen opens the file at the committed length, unless it is open.
func (s *fileSink[T]) reopen(state *fileState) error {
	if state.file != nil {
		return nil
	}
	if err := s.close(); err != nil {
		return fmt.Errorf("close %s: %w", s.path, err)
	}
	file, err := openAt(s.path, state.Length)
	if err != nil {
		return err
	}
	state.file, s.open = file, file
	return nil
}

func openAt(path string, length int64) (*openFile, error) {
	info, err := statAt(path, length)
	if err != nil {
		return nil, err
	}
	if info == nil {
		file, err := create(path)
		if err != nil {
			return nil, err
		}
		return &openFile{File: file}, nil
	}
	file, err := userfile.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, unwritable(err)
	}
	if _, err = file.Seek(length, io.SeekStart); err != nil {
		return nil, errors.Join(unwritable(err), file.Close())
	}
	return &openFile{File: file, length: length, synced: length, excess: info.Size() > length}, nil
}

// statAt is a file that can be gone on with at a length. It is nil for one that is still to be created.
func statAt(path string, length int64) (fs.FileInfo, error) {
	info, err := stat(path)
	switch {
	case errors.Is(err, userfile.ErrForeign):
		return nil, engine.Fatal(fmt.Errorf("the sink's file: %w", err))
	case errors.Is(err, fs.ErrNotExist) && length == 0:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, engine.Fatal(fmt.Errorf("the sink's file %s is gone, but %d bytes of it were committed: restore it, or start over with a fresh run", path, length))
	case err != nil:
		return nil, unwritable(err)
	case !info.Mode().IsRegular():
		return nil, engine.Fatal(fmt.Errorf("the sink's file %s is not a regular file and cannot be truncated after a crash: use stages.WriterSink for it", path))
	case info.Size() < length:
		return nil, engine.Fatal(fmt.Errorf("the sink's file %s has %d bytes, but %d were committed: restore the right one, or start over with a fresh run", path, info.Size(), length))
	}
	return info, nil
}

// stat is what is at the end of a path on which no other user has put a link.
func stat(path string) (fs.FileInfo, error) {
	place, err := userfile.Resolve(path)
	if err == nil && place.Info == nil {
		err = fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return place.Info, err
}

// create makes the file so that it is there after a power cut.
func create(path string) (*os.File, error) {
	file, err := userfile.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, unwritable(err)
	}
	if runtime.GOOS == "windows" { // which cannot sync a directory
		return file, nil
	}
	dir, err := os.Open(filepath.Dir(file.Name()))
	if err != nil {
		return nil, errors.Join(unwritable(err), file.Close())
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return nil, errors.Join(unwritable(err), file.Close())
	}
	return file, nil
}

// unwritable tells failures that a retry may mend from those it cannot.
func unwritable(err error) error {
	err = fmt.Errorf("open the sink's file: %w", err)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, userfile.ErrForeign) {
		return engine.Fatal(err)
	}
	return err
}
