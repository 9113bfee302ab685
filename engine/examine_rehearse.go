package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/view"
	"penstock/internal/format"
)

// rehearse opens a copy as a run would, and looks whether what is in the channels
// and in the checkpoints fits together.
func (l *look) rehearse(ctx context.Context) (err error) {
	if datadir.Exists(l.dir.StartingOver()) {
		return nil // all of it is about to be deleted
	}
	path, err := l.x.copy(l.dir.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(path)) }()
	copied := datadir.At(path)
	store, err := l.openStore(copied)
	if err != nil {
		return err
	}
	if store != nil {
		defer func() { err = errors.Join(err, store.Close()) }()
	}
	if l.pipeline == "" {
		l.note("channels", "they are not looked at: nothing says which pipeline the directory belongs to")
		return nil
	}
	b, err := broker.Open(ctx, l.x.config.broker(l.pipeline, copied.Broker()))
	if err != nil {
		return err
	}
	defer b.Close()
	if err := l.x.dir.CheckMoved(ctx, b, datadir.Identity{Pipeline: l.pipeline, ID: l.identity}, l.x.config.NATS.URL); err != nil {
		return err
	}
	if err := l.makeAnew(ctx, b); err != nil {
		return err
	}
	return l.channels(ctx, b, store)
}

// makeAnew makes the streams that the server would not read, as the next start
// does: in the copy. A server outside stays as it is.
func (l *look) makeAnew(ctx context.Context, b *broker.Broker) (err error) {
	if !b.Embedded() {
		return nil
	}
	for _, name := range l.unreadable {
		stage, isOurs := strings.CutPrefix(name, l.pipeline+"+")
		switch {
		case name == dlq.StreamName(l.pipeline):
			_, err = dlq.Open(ctx, b.JetStream(), dlq.Config{Pipeline: l.pipeline, Identity: l.identity})
		case isOurs && !strings.HasPrefix(stage, "+"): // a channel
			_, err = channel.Open(ctx, b, channel.Spec{Pipeline: l.pipeline, Stage: stage, Identity: l.identity})
		}
		if err != nil { // two flipped bits may have its settings name another owner
			err = l.refusal("stream "+name, fmt.Errorf("make it anew: %w", err))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// openStore reads every value of the checkpoints; nil when that is not possible.
func (l *look) openStore(d *datadir.Directory) (*checkpoint.Store, error) {
	if l.noStore {
		return nil, nil
	}
	store, err := checkpoint.Open(checkpoint.Config{Dir: d.Checkpoints(), Logger: l.x.config.Logger})
	if errors.Is(err, checkpoint.ErrCorrupt) {
		l.wrong("checkpoints", "%v", err)
		l.noStore = true
		l.dropSpare()
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	count, damages := store.CheckValues()
	for _, damage := range damages {
		if errors.Is(damage, format.ErrNewer) {
			return nil, errors.Join(damage, store.Close())
		}
		l.wrong("checkpoints", "%v", damage)
	}
	id, found, err := datadir.ReadIdentity(store)
	if err != nil || len(damages) > 0 {
		if err != nil && len(damages) == 0 {
			l.wrong("checkpoints", "%v", err)
		}
		l.noStore = true
		l.resetStore()
		return nil, store.Close()
	}
	l.check("checkpoints: %d values", count)
	if l.lazy, err = notedLazy(store); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	switch {
	case !found:
		l.note("checkpoints", "they say of no pipeline that they are its: the next run makes them its own")
	case l.pipeline != "" && l.pipeline != id.Pipeline:
		l.wrong("directory", "the checkpoints belong to the pipeline %s, and the channels to %s", id.Pipeline, l.pipeline)
	default:
		l.pipeline, l.identity = id.Pipeline, id.ID
	}
	return store, nil
}

// channelFacts are what the frames of a channel say together.
type channelFacts struct {
	frames      int
	first, last uint64 // commits
	epoch       uint64
	next        map[string]uint64 // offsets by branch
	gaps        map[string]uint64 // the end of the last gap by branch, 0 if there is none
	inputs      []frame.Position
	ended       bool
	sealed      map[string]int // frames by the key that they are authenticated with
}

func newFacts() *channelFacts {
	return &channelFacts{next: map[string]uint64{}, gaps: map[string]uint64{}, sealed: map[string]int{}}
}

// sealedWith tells how many frames are authenticated, by key.
func (f *channelFacts) sealedWith() string {
	text, open := "", f.frames
	for _, key := range slices.Sorted(maps.Keys(f.sealed)) {
		text += fmt.Sprintf(", %d with the key %s", f.sealed[key], key)
		open -= f.sealed[key]
	}
	if text != "" && open > 0 {
		text += fmt.Sprintf(", %d without a key", open)
	}
	return text
}

func (l *look) channels(ctx context.Context, b *broker.Broker, store *checkpoint.Store) error {
	stages, err := channel.Stages(ctx, b, l.pipeline)
	if err != nil {
		return err
	}
	for _, stage := range stages {
		if err := l.channel(ctx, b, store, stage); err != nil {
			return fmt.Errorf("channel of stage %s: %w", stage, err)
		}
	}
	if store != nil {
		names, err := store.Instances()
		if err != nil {
			return err
		}
		for _, name := range names {
			stage, _, _ := strings.Cut(name, ".")
			if l.stages[stage] == nil {
				l.wrong("channel "+stage, "it is gone, and there is a checkpoint of its stage")
			}
		}
	}
	l.positions()
	return l.letters(ctx, b, store)
}

// channel reads all frames of a channel, and applies those after the checkpoint.
func (l *look) channel(ctx context.Context, b *broker.Broker, store *checkpoint.Store, stage string) error {
	part := "channel " + stage
	m := &misfits{removed: l.x.removed[stage]}
	ch, found, err := channel.Find(ctx, b, channel.Spec{Pipeline: l.pipeline, Stage: stage, Keys: l.x.keys, PassDamaged: m.pass})
	if err != nil {
		return l.refusal(part, err)
	}
	if !found {
		return nil
	}
	if id := ch.Identity(); l.identity != "" && id != l.identity {
		l.wrong(part, "it belongs to another data directory (its identity is %s, this one's %s)", id, l.identity)
	}
	facts := newFacts()
	l.stages[stage] = facts
	err = ch.Replay(ctx, 1, func(r channel.Record) error {
		l.frame(part, facts, r)
		m.between(r)
		return nil
	})
	if err != nil {
		return l.refusal(part, err)
	}
	l.check("%s: %d frames, commits %d to %d%s", part, facts.frames, facts.first, facts.last, facts.sealedWith())
	if !l.misfits(ctx, part, stage, m) || store == nil {
		return nil
	}
	view := view.New(stage, store.Instance(plan.Only(stage).String()))
	if err := view.CatchUp(ctx, ch, false); err != nil {
		return l.refusal(part, err)
	}
	return nil
}

// refusal is a finding, if err is not that something could not be looked at.
func (l *look) refusal(part string, err error) error {
	for _, kind := range []error{ErrRefused, channel.ErrCorruptFrame, channel.ErrStreamLost, channel.ErrForeign, dlq.ErrForeign, checkpoint.ErrCorrupt,
		frame.ErrCorrupt, frame.ErrChecksum, frame.ErrTruncated} {
		if errors.Is(err, kind) {
			l.wrong(part, "%v", err)
			return nil
		}
	}
	return err
}

// frame adds the next frame. What is missing before it is told only where
// something needs it.
func (l *look) frame(part string, facts *channelFacts, r channel.Record) {
	f := r.Frame
	if key, isSealed := frame.SealedWith(r.Data); isSealed {
		facts.sealed[key]++
	}
	if facts.frames == 0 {
		facts.first = f.Commit
	} else if f.Commit <= facts.last {
		l.wrong(part, "commit %d comes after commit %d", f.Commit, facts.last)
	} else if f.Commit != facts.last+1 {
		l.note(part, "commits %d to %d are missing", facts.last+1, f.Commit-1)
	}
	if f.Epoch < facts.epoch {
		l.wrong(part, "commit %d is of epoch %d, after epoch %d", f.Commit, f.Epoch, facts.epoch)
	}
	for k := range f.Sections {
		s := &f.Sections[k]
		next, known := facts.next[s.Branch]
		switch {
		case known && s.Base < next:
			l.wrong(part, "commit %d writes offset %d once more", f.Commit, s.Base)
		case s.Base > next:
			facts.gaps[s.Branch] = s.Base
		}
		facts.next[s.Branch] = s.Next()
	}
	facts.frames++
	facts.last, facts.epoch, facts.inputs, facts.ended = f.Commit, f.Epoch, f.Inputs, f.Ended
}

// positions compares what every stage has taken with what there is to take.
func (l *look) positions() {
	names := make([]string, 0, len(l.stages))
	for name := range l.stages {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, p := range l.stages[name].inputs {
			if p.Stream != replayStream {
				l.position(name, p, l.stages[name].ended)
			}
		}
	}
	l.check("positions of %d stages", len(names))
}

func (l *look) position(stage string, p frame.Position, ended bool) {
	from, branch, _ := strings.Cut(p.Stream, "/")
	producer := l.stages[from]
	part := "channel " + from
	switch {
	case producer == nil:
		l.wrong(part, "it is gone, and stage %s reads it", stage)
	case p.Offset > producer.next[branch] && l.lazy:
		l.note(part, "it ends after %d messages, and stage %s has taken %d: a cut of the power took its newest ones, since it is synced at an interval; the next start takes back what was made of them", producer.next[branch], stage, p.Offset)
	case p.Offset > producer.next[branch]:
		l.wrong(part, "it ends after %d messages, and stage %s has taken %d: it lost its tail", producer.next[branch], stage, p.Offset)
	case p.Offset < producer.gaps[branch] && !ended:
		l.wrong(part, "stage %s has taken %d messages of %s, and some before offset %d are missing", stage, p.Offset, p.Stream, producer.gaps[branch])
	}
}

// letters reads all dead letters.
func (l *look) letters(ctx context.Context, b *broker.Broker, store *checkpoint.Store) error {
	queue, found, err := dlq.Lookup(ctx, b.JetStream(), l.pipeline)
	if err != nil && ctx.Err() == nil && !errors.Is(err, format.ErrNewer) {
		l.wrong("dead letters", "%v", err)
		return nil
	}
	if err != nil {
		return err
	}
	last := uint64(0)
	if found {
		if foreign := queue.Belongs(l.identity); l.identity != "" && foreign != nil {
			l.wrong("dead letters", "%v", foreign)
		}
		if last, err = queue.Last(ctx); err != nil {
			return err
		}
	}
	if err := l.lettersReach(store, last); err != nil || !found {
		return err
	}
	count := 0
	if err := queue.Each(ctx, func(dlq.Letter) error { count++; return nil }); err != nil {
		if ctx.Err() != nil || errors.Is(err, format.ErrNewer) {
			return err
		}
		l.wrong("dead letters", "%v", err)
		return nil
	}
	l.check("dead letters: %d", count)
	return nil
}

// resetStore makes checkpoints that begin before everything. Where a channel does
// not have everything any more, the next look refuses that.
func (l *look) resetStore() {
	for _, f := range l.fixes {
		if f.reset {
			return
		}
	}
	l.fixes = append(l.fixes, fix{
		reset: true,
		text:  "build the checkpoints anew from the channels, which still have everything that is needed; counters, events and counted attempts begin anew",
		apply: func(path string) error {
			return newStore(datadir.At(path).Checkpoints(), l.pipeline, l.identity)
		},
	})
}

// dropSpare makes the files anew that hold nothing, once: the tables are sound and
// Badger refuses them. If that is not it, new checkpoints are made.
func (l *look) dropSpare() {
	if l.x.spared {
		l.resetStore()
		return
	}
	l.x.spared = true
	l.fixes = append(l.fixes, fix{
		text:  "remove the files of the checkpoints that hold nothing and are made anew",
		apply: func(path string) error { return checkpoint.DropSpare(datadir.At(path).Checkpoints()) },
	})
}

func newStore(path, pipeline, id string) error {
	if pipeline == "" || id == "" {
		return errors.New("nothing says which pipeline the directory belongs to")
	}
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	store, err := checkpoint.Open(checkpoint.Config{Dir: path})
	if err != nil {
		return err
	}
	made := datadir.NewIdentity(pipeline)
	made.ID = id
	return errors.Join(datadir.WriteIdentity(store, made), store.Close(), datadir.Sync(filepath.Dir(path)))
}
