package doctor

import (
	"context"
	"fmt"

	"penstock/engine/internal/datadir"
	"penstock/engine/internal/layout"
	"penstock/engine/remedy"
)

// inspection is one look at a directory.
type inspection struct {
	x        *examiner
	dir      *datadir.Directory
	pipeline string
	identity string
	checked  []string
	findings []Finding
	fixes    []fix
	stages   map[string]*channelFacts
	layout   layout.Note // in which instances stages run whose number of partitions was changed
	// elsewhere: the run on the server was made by another data directory.
	elsewhere bool
	noStore   bool // the checkpoints cannot be read
	lazy      bool // the embedded server syncs at an interval
	// unreadable are the streams whose settings cannot be read.
	unreadable []string
}

func (l *inspection) wrong(part, format string, args ...any) { l.find(true, part, format, args) }

func (l *inspection) note(part, format string, args ...any) { l.find(false, part, format, args) }

func (l *inspection) find(wrong bool, part, format string, args []any) {
	l.findings = append(l.findings, Finding{wrong, part, fmt.Sprintf(format, args...), remedy.Among(args)})
}

func (l *inspection) check(format string, args ...any) {
	l.checked = append(l.checked, fmt.Sprintf(format, args...))
}

func (l *inspection) isWrong() bool {
	for _, f := range l.findings {
		if f.Wrong {
			return true
		}
	}
	return false
}

// sorted is what is wrong, and then the rest.
func (l *inspection) sorted() []Finding {
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
func (x *examiner) look(ctx context.Context, path string) (*inspection, error) {
	l := &inspection{x: x, dir: datadir.At(path), stages: map[string]*channelFacts{}}
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
