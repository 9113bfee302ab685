package doctor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/plan"
)

// misfits are the messages of a channel that were published as commits are, and
// are no frames. No owner and no reader passes them, since a damaged commit looks
// the same. Where it is certain that one of them was never a commit it may go.
type misfits struct {
	removed []uint64 // taken for deleted
	found   map[uint64]misfit
	frames  []commitAt
}

type misfit struct {
	size   int
	begin  string // its first bytes, quoted
	begins bool   // like a frame
}

type commitAt struct{ sequence, commit uint64 }

// pass is told by the channel.
func (m *misfits) pass(sequence uint64, data []byte) bool {
	if slices.Contains(m.removed, sequence) {
		return true
	}
	if m.found == nil {
		m.found = map[uint64]misfit{}
	}
	m.found[sequence] = misfit{len(data), strconv.QuoteToASCII(string(data[:min(len(data), 32)])), frame.Begins(data)}
	return true
}

func (m *misfits) between(r channel.Record) {
	m.frames = append(m.frames, commitAt{r.Sequence, r.Frame.Commit})
}

// wasCommit says whether a misfit may be a damaged commit. Commits are numbered
// without gaps, so between two frames the numbers tell whether one is missing.
// Before the first frame and behind the last one the misfit's beginning tells: the
// server's checksum is right, so the message is as it was published.
func (m *misfits) wasCommit(sequence uint64) bool {
	next, _ := slices.BinarySearchFunc(m.frames, sequence, func(c commitAt, s uint64) int { return cmp.Compare(c.sequence, s) })
	if next > 0 && next < len(m.frames) {
		return m.frames[next].commit != m.frames[next-1].commit+1
	}
	return m.found[sequence].begins
}

// misfits says what is wrong with the messages of a channel that are no frames, and
// how it is mended. It is false when one of them may have been a commit that something needs.
func (l *inspection) misfits(ctx context.Context, part string, of plan.InstanceID, m *misfits, mayRemake func() (bool, error)) (passable bool, err error) {
	var foreign, last []uint64
	for _, sequence := range slices.Sorted(maps.Keys(m.found)) {
		f := m.found[sequence]
		if m.wasCommit(sequence) {
			if m.isLast(sequence) {
				last = append(last, sequence)
				continue
			}
			l.wrong(part, "%v: sequence %d, %d bytes that begin with %s", channel.ErrCorruptFrame, sequence, f.size, f.begin)
			continue
		}
		l.wrong(part, "sequence %d, %d bytes that begin with %s, was published like a commit by another client and is not a frame; no commit is missing, but the stage and its readers stop there",
			sequence, f.size, f.begin)
		foreign = append(foreign, sequence)
	}
	if len(last) > 0 {
		remake, err := mayRemake()
		if err != nil {
			return false, err
		}
		for _, sequence := range last {
			l.lastMisfit(part, sequence, m.found[sequence], remake)
		}
		if !remake {
			return false, nil
		}
	}
	if len(foreign)+len(last) < len(m.found) {
		return false, nil
	}
	name := channel.StreamName(l.pipeline, of.Stage)
	if len(foreign) > 0 {
		l.takeOut(ctx, of, foreign, fmt.Sprintf("remove the messages that are not frames from stream %s, sequences %v: no commit is lost", name, foreign))
	}
	if len(last) > 0 {
		l.takeOut(ctx, of, last, fmt.Sprintf("remove what is behind the last frame of stream %s, sequences %v: nothing has used it, and if it was the last commit, the next run makes that once more", name, last))
	}
	return true, nil
}

func (l *inspection) takeOut(ctx context.Context, of plan.InstanceID, sequences []uint64, text string) {
	pipeline := l.pipeline
	l.fixes = append(l.fixes, fix{text: text, apply: func(path string) error { return l.x.takeOut(ctx, path, pipeline, of, sequences) }})
}

// takeOut deletes messages. A trial cannot do that on a server outside, and takes
// them for deleted.
func (x *examiner) takeOut(ctx context.Context, path, pipeline string, of plan.InstanceID, sequences []uint64) (err error) {
	if x.config.NATS.URL != "" && path != x.dir.Path {
		if x.removed == nil {
			x.removed = map[string][]uint64{}
		}
		x.removed[of.Stage] = append(x.removed[of.Stage], sequences...)
		return nil
	}
	delete(x.removed, of.Stage)
	b, err := x.server(ctx, pipeline, datadir.At(path).Broker(), 0)
	if err != nil {
		return err
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(ctx, takingOut)
	defer cancel()
	ch, found, err := channel.Lookup(ctx, b, pipeline, of.Stage)
	if err == nil && !found {
		err = channel.ErrStreamLost
	}
	for _, sequence := range sequences {
		if err == nil {
			err = ch.Instance(of.Number).Remove(ctx, sequence, func(data []byte) error {
				return x.keep(channel.StreamName(pipeline, of.Stage), sequence, data)
			})
		}
	}
	return err
}

// takingOut bounds how long a server may take to delete messages.
const takingOut = 30 * time.Second
