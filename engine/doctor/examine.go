package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"penstock/engine/broker"
	"penstock/engine/frame"
	"penstock/engine/inspect"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/scratch"
	"penstock/engine/remedy"
)

// Finding is one thing that Examine found.
type Finding struct {
	Wrong bool   `json:"wrong"` // else it is only worth knowing
	Part  string `json:"part"`  // "checkpoints", "channel worker", "dead letters" …
	Text  string `json:"text"`
	// Remedies are those that Text names, for remedy.Text.
	Remedies []remedy.Remedy `json:"remedies,omitempty"`
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
	// Elsewhere says that the run on the server was made by another data directory:
	// to start over from this one would delete it.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// ErrNoDirectory says that there is no data directory to look at.
var ErrNoDirectory = errors.New("not a data directory")

// Examine looks for what is wrong with the data directory of a pipeline that is
// not running, without its program, and changes nothing in it: what
// could change something is done with a copy, in the directory for temporary
// files. It reads every file there is: the tables and values of the checkpoints,
// every record of the embedded server's files, every frame of every channel, and
// then tries with the copy what a run would do. With config.NATS the channels are
// read from that server, and config.Logger gets what happens to the connection. A
// directory in use gives engine.ErrLocked, one that is none ErrNoDirectory, one of a
// newer version engine.ErrNewerVersion, one whose channels are on another server
// engine.ErrElsewhere, and a server that does not answer in time broker.ErrNoServer.
// Authenticated frames are verified with
// config.FrameKeys; without a key of theirs there is nothing to tell, and the error
// is engine.ErrFrameKey. Another error says that it could not look.
func Examine(ctx context.Context, config inspect.Config) (*Examination, error) {
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
	config  inspect.Config
	log     *slog.Logger // hears nothing: the findings say it
	dir     *datadir.Directory
	scratch *scratch.Dir
	copies  int
	backup  string // where Repair has copied it to
	spared  bool   // one of the fixes makes the spare files of the checkpoints anew
	keys    *frame.Keys
	// removed are, by stage, messages on a server outside that a trial takes for
	// deleted.
	removed map[string][]uint64
}

func newExaminer(config inspect.Config, open func(string) (*datadir.Directory, error)) (*examiner, error) {
	keys, err := frame.KeysOf(config.FrameKeys)
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
		return nil, remedy.Errorf("%w: no pipeline has run in %s: name another directory with %v", ErrNoDirectory, path, remedy.Dir)
	}
	if _, err := datadir.CheckOpenFiles(path, 0); err != nil {
		return nil, err
	}
	dir, err := open(config.Dir)
	if err != nil {
		return nil, err
	}
	if err := dir.CheckKind(config.NATS.URL); err != nil {
		dir.Close()
		return nil, err
	}
	copies, err := scratch.Make(scratch.ForExamination)
	if err != nil {
		dir.Close()
		return nil, err
	}
	return &examiner{config: config, log: slog.New(slog.DiscardHandler), keys: keys, dir: dir, scratch: copies}, nil
}

// server opens the server of a pipeline: one on the files in dir, or the one outside, of whose connection the user's
// log hears.
func (x *examiner) server(ctx context.Context, pipeline, dir string, sync time.Duration) (*broker.Broker, error) {
	log := x.log
	if x.config.NATS.URL != "" {
		log = cmp.Or(x.config.Logger, slog.Default())
	}
	return broker.Open(ctx, x.config.NATS.Config(pipeline, dir, sync, log))
}

func (x *examiner) close() {
	_ = x.scratch.Remove()
	x.dir.Close()
}

// copy makes a copy of a data directory to try something with.
func (x *examiner) copy(path string) (string, error) {
	x.copies++
	to := filepath.Join(x.scratch.Path, fmt.Sprint(x.copies))
	return to, datadir.CopyTree(path, to, datadir.ToMemory)
}

// examine looks, and finds out whether what is wrong can be mended.
func (x *examiner) examine(ctx context.Context) (*Examination, []fix, error) {
	l, err := x.look(ctx, x.dir.Path)
	if err != nil {
		return nil, nil, err
	}
	e := &Examination{Dir: x.dir.Path, Pipeline: l.pipeline, Checked: l.checked, Findings: l.sorted(), Sound: !l.isWrong(), Elsewhere: l.elsewhere}
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
