package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"penstock/engine/frame"
	"penstock/engine/internal/datadir"
)

// Finding is one thing that Examine found.
type Finding struct {
	Wrong bool   `json:"wrong"` // else it is only worth knowing
	Part  string `json:"part"`  // "checkpoints", "channel worker", "dead letters" …
	Text  string `json:"text"`
}

// Examination is what Examine found in a data directory.
type Examination struct {
	Dir      string    `json:"dir"`
	Pipeline string    `json:"pipeline,omitempty"`
	Sound    bool      `json:"sound"`    // nothing is wrong
	Checked  []string  `json:"checked"`  // what was looked at
	Findings []Finding `json:"findings"` // what is wrong first
	// Mendable says, where something is wrong, that Repair mends it. Steps are
	// what Repair does then.
	Mendable bool     `json:"mendable"`
	Steps    []string `json:"steps,omitempty"`
}

// ErrNoDirectory says that there is no data directory to look at.
var ErrNoDirectory = errors.New("not a data directory")

// Examine looks for what is wrong with the data directory of a pipeline that is
// not running, without its program, and changes nothing in it: what
// could change something is done with a copy, in the directory for temporary
// files. It reads every file there is: the tables and values of the checkpoints,
// every record of the embedded server's files, every frame of every channel, and
// then tries with the copy what a run would do. With config.NATS the channels are
// read from that server. A directory in use gives ErrLocked, one that is none
// ErrNoDirectory, one of a newer version ErrNewerVersion, and one whose channels
// are on another server ErrElsewhere. Authenticated frames are verified with
// config.FrameKeys; without a key of theirs there is nothing to tell, and the error
// is ErrFrameKey. Another error says that it could not look.
func Examine(ctx context.Context, config Config) (*Examination, error) {
	x, err := newExaminer(config, datadir.Look)
	if err != nil {
		return nil, err
	}
	defer x.close()
	e, _, err := x.examine(ctx)
	return e, err
}

// examiner has a locked data directory and a place for copies.
type examiner struct {
	config  Config
	dir     *datadir.Directory
	scratch string
	copies  int
	spared  bool // one of the fixes makes the spare files of the checkpoints anew
	keys    *frame.Keys
	// removed are, by stage, messages on a server outside that a trial takes for
	// deleted.
	removed map[string][]uint64
}

func newExaminer(config Config, open func(string) (*datadir.Directory, error)) (*examiner, error) {
	config = config.withDefaults()
	keys, err := config.frameKeys()
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(config.Dir)
	if err != nil {
		return nil, err
	}
	if _, err := datadir.Locate(path); err != nil {
		return nil, err
	}
	if config.Dir = path; !datadir.At(path).IsThere() {
		return nil, fmt.Errorf("%w: %s", ErrNoDirectory, path)
	}
	dir, err := open(config.Dir)
	if err != nil {
		return nil, err
	}
	if err := dir.CheckKind(config.NATS.URL); err != nil {
		dir.Close()
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "penstock-examine-")
	if err != nil {
		dir.Close()
		return nil, fmt.Errorf("make a directory for copies: %w", err)
	}
	config.Logger = slog.New(slog.DiscardHandler) // the findings say it
	config.Sync = time.Hour                       // copies need not be durable
	return &examiner{config: config, keys: keys, dir: dir, scratch: scratch}, nil
}

func (x *examiner) close() {
	_ = os.RemoveAll(x.scratch)
	x.dir.Close()
}

// copy makes a copy of a data directory to try something with.
func (x *examiner) copy(path string) (string, error) {
	x.copies++
	to := filepath.Join(x.scratch, fmt.Sprint(x.copies))
	return to, datadir.CopyTree(path, to, datadir.ToMemory)
}

// examine looks, and finds out whether what is wrong can be mended.
func (x *examiner) examine(ctx context.Context) (*Examination, []fix, error) {
	l, err := x.look(ctx, x.dir.Path)
	if err != nil {
		return nil, nil, err
	}
	e := &Examination{Dir: x.dir.Path, Pipeline: l.pipeline, Checked: l.checked, Findings: l.sorted(), Sound: !l.isWrong()}
	if e.Sound {
		return e, nil, nil
	}
	fixes, err := x.try(ctx, l)
	for _, f := range fixes {
		e.Steps = append(e.Steps, f.text)
	}
	e.Mendable = len(fixes) > 0
	return e, fixes, err
}

// look is one look at a directory.
type look struct {
	x        *examiner
	dir      *datadir.Directory
	pipeline string
	identity string
	checked  []string
	findings []Finding
	fixes    []fix
	stages   map[string]*channelFacts
	noStore  bool // the checkpoints cannot be read
	lazy     bool // the embedded server syncs at an interval
	// unreadable are the streams whose settings nobody can read.
	unreadable []string
}

func (l *look) wrong(part, format string, args ...any) {
	l.findings = append(l.findings, Finding{true, part, fmt.Sprintf(format, args...)})
}

func (l *look) note(part, format string, args ...any) {
	l.findings = append(l.findings, Finding{false, part, fmt.Sprintf(format, args...)})
}

func (l *look) check(format string, args ...any) {
	l.checked = append(l.checked, fmt.Sprintf(format, args...))
}

func (l *look) isWrong() bool {
	for _, f := range l.findings {
		if f.Wrong {
			return true
		}
	}
	return false
}

// sorted is what is wrong, and then the rest.
func (l *look) sorted() []Finding {
	list := []Finding{}
	for _, wrong := range []bool{true, false} {
		for _, f := range l.findings {
			if f.Wrong == wrong {
				list = append(list, f)
			}
		}
	}
	return list
}

// look reads the files as they are, and then does with a copy what a run does.
func (x *examiner) look(ctx context.Context, path string) (*look, error) {
	l := &look{x: x, dir: datadir.At(path), stages: map[string]*channelFacts{}}
	for _, part := range []func() error{l.notes, l.inflight, l.tables, l.blocks} {
		if err := part(); err != nil {
			return nil, fmt.Errorf("examine %s: %w", path, err)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	if err := l.rehearse(ctx); err != nil {
		return nil, fmt.Errorf("examine %s: %w", path, err)
	}
	return l, nil
}
