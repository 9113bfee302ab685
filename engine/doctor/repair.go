package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"penstock/checkpoint"
	"penstock/engine/inspect"
	"penstock/engine/internal/blocks"
	"penstock/engine/internal/datadir"
)

// fix is one thing that may be done to a data directory. Whether it is right is
// seen by looking at what comes of it.
type fix struct {
	text  string
	reset bool // it makes new checkpoints
	apply func(path string) error
}

// maxRounds bounds the looks after fixes that let more come to light.
const maxRounds = 3

// try mends a copy, and gives the fixes after which nothing is wrong with it; none
// if there is no such.
func (x *examiner) try(ctx context.Context, l *inspection) ([]fix, error) {
	trial, err := x.copy(x.dir.Path)
	if err != nil {
		return nil, err
	}
	var all []fix
	for range maxRounds {
		if len(l.fixes) == 0 {
			return nil, nil
		}
		for _, f := range l.fixes {
			if err := f.apply(trial); err != nil {
				l.note("repair", "cannot %s: %v", f.text, err)
				return nil, nil
			}
		}
		all = append(all, l.fixes...)
		if l, err = x.look(ctx, trial); err != nil {
			return nil, err
		}
		if !l.isWrong() {
			return all, nil
		}
	}
	return nil, nil
}

// Repaired is what Repair has done.
type Repaired struct {
	*Examination        // before
	Backup       string `json:"backup,omitempty"` // a copy of the directory as it was; "" when nothing was done
}

// ErrNotMendable says that a data directory cannot be mended without guessing.
var ErrNotMendable = errors.New("it cannot be repaired without guessing")

// Repair mends the data directory of a pipeline that is not running, as far as
// that is possible without guessing: it does what makes Examine find nothing wrong
// any more, after it has tried that with a copy. Before, it copies the directory
// to one beside it, named after it with ".backup-" and the time. What it cannot
// mend it refuses, with ErrNotMendable, and changes nothing. What it needs of
// config, and its other errors, are those of Examine.
//
// After it a run goes on from the last commit that everything agrees on. Commits
// behind that, of which no reader has consumed anything, are made once more; the effects
// of a sink outside the pipeline may then come twice. What it deletes from a server outside is kept in the directory
// "removed" of the copy.
func Repair(ctx context.Context, config inspect.Config) (*Repaired, error) {
	x, err := newExaminer(config, datadir.Open)
	if err != nil {
		return nil, err
	}
	defer x.close()
	e, fixes, err := x.examine(ctx)
	if err != nil {
		return nil, err
	}
	done := &Repaired{Examination: e}
	switch {
	case e.Sound:
		return done, nil
	case len(fixes) == 0:
		return done, fmt.Errorf("repair %s: %w", x.dir.Path, ErrNotMendable)
	}
	if done.Backup, err = x.backUp(); err != nil {
		return done, fmt.Errorf("repair %s: %w; nothing was changed", x.dir.Path, err)
	}
	x.backup = done.Backup
	for _, f := range fixes {
		if err := f.apply(x.dir.Path); err != nil {
			return done, fmt.Errorf("repair %s: %s: %w; a copy of the directory as it was is %s", x.dir.Path, f.text, err, done.Backup)
		}
	}
	l, err := x.look(ctx, x.dir.Path)
	if err == nil && l.isWrong() {
		err = fmt.Errorf("%s: %s", l.sorted()[0].Part, l.sorted()[0].Text)
	}
	if err != nil {
		return done, fmt.Errorf("repair %s: check the result: %w; a copy of the directory as it was is %s", x.dir.Path, err, done.Backup)
	}
	return done, nil
}

// backUp copies the directory to one beside it.
func (x *examiner) backUp() (string, error) {
	path := strings.TrimRight(x.dir.Path, "/\\") + time.Now().UTC().Format(".backup-20060102T150405.000Z")
	size, err := blocks.TreeSize(x.dir.Path)
	if err != nil {
		return "", fmt.Errorf("back up: %w", err)
	}
	if free, _, err := checkpoint.Space(x.dir.Path); err == nil && free < size+size/8 {
		return "", fmt.Errorf("back up: %w: %d MiB are free on the disk of the directory and %d MiB are needed", checkpoint.ErrNoSpace, free>>20, (size+size/8)>>20)
	}
	if err := datadir.CopyTree(x.dir.Path, path, datadir.ToDisk); err != nil {
		return "", fmt.Errorf("back up: %w", err)
	}
	return path, nil
}
