package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/layout"
	"penstock/engine/internal/plan"
	"penstock/engine/internal/shape"
	"penstock/engine/internal/view"
	"penstock/internal/counted"
)

// channelFacts are what the frames of an instance say together.
type channelFacts struct {
	of          plan.InstanceID
	layout      plan.Layout // the instances of its stage
	frames      int
	first, last uint64 // commits
	epoch       uint64
	next        map[destination]uint64 // offsets
	gaps        map[destination]uint64 // the end of the last gap, 0 if there is none
	inputs      []frame.Position
	ended       bool
	signed      map[string]int // frames by the key that they are authenticated with
}

// destination is what a section of a frame is for.
type destination struct {
	branch    string
	partition uint32
}

func of(s *frame.Section) destination { return destination{s.Branch, s.Partition} }

func newFacts() *channelFacts {
	return &channelFacts{next: map[destination]uint64{}, gaps: map[destination]uint64{}, signed: map[string]int{}}
}

// name is that of the stage, or of its instance where it has several.
func (f *channelFacts) name() string {
	if f.layout.Count > 1 {
		return f.of.String()
	}
	return f.of.Stage
}

// signedWith tells how many frames are authenticated, by key.
func (f *channelFacts) signedWith() string {
	text, open := "", f.frames
	for _, key := range slices.Sorted(maps.Keys(f.signed)) {
		text += fmt.Sprintf(", %d with the key %s", f.signed[key], key)
		open -= f.signed[key]
	}
	if text != "" && open > 0 {
		text += fmt.Sprintf(", %d without a key", open)
	}
	return text
}

func (l *inspection) channels(ctx context.Context, b *broker.Broker, store *checkpoint.Store) error {
	stages, err := channel.Stages(ctx, b, l.pipeline)
	if err == nil && store != nil {
		l.layout, err = layout.Read(store)
	}
	if err != nil {
		return err
	}
	for _, stage := range stages {
		if err := l.stage(ctx, b, store, stage); err != nil {
			return fmt.Errorf("channel of stage %s: %w", stage, err)
		}
	}
	if store != nil {
		names, err := store.Instances()
		if err != nil {
			return err
		}
		for _, name := range names {
			if l.stages[name] == nil && !l.layout.IsLeft(name) { // what is left the next start deletes
				l.wrong("channel "+strings.TrimSuffix(name, ".0"), "it is gone, but its stage has a checkpoint")
			}
		}
	}
	l.positions()
	return l.letters(ctx, b, store)
}

// stage reads the channel of a stage: each of its instances has frames of its own in it.
func (l *inspection) stage(ctx context.Context, b *broker.Broker, store *checkpoint.Store, stage string) error {
	ch, found, err := channel.Lookup(ctx, b, l.pipeline, stage)
	if err != nil {
		return l.refusal("channel "+stage, err)
	}
	if !found {
		return nil
	}
	at, err := l.layoutOf(ch, store, stage)
	if err != nil {
		return err
	}
	isForeign := l.isForeign(ch, "channel "+stage)
	for _, id := range at.Instances(stage) {
		facts := newFacts()
		facts.of, facts.layout = id, at
		if err := l.instance(ctx, b, store, facts, isForeign); err != nil {
			return err
		}
	}
	return nil
}

// layoutOf is in which instances a stage runs. The store knows too, as where the settings of the stream were damaged.
// It decides where the number of partitions was changed: a channel is told later.
func (l *inspection) layoutOf(ch *channel.Channel, store *checkpoint.Store, stage string) (plan.Layout, error) {
	told, _ := ch.Partitions()
	at := plan.Layout{First: told.First, Count: told.Count}
	if store == nil {
		return at, nil
	}
	if noted, found := l.layout.Of(stage); found && noted.First >= at.First {
		return noted, nil
	}
	s, _, err := shape.Read(store.Instance(plan.InstanceID{Stage: stage, Number: at.First}.String()))
	at.Count = max(at.Count, s.Partitions)
	return at, err
}

// isForeign says that the stream belongs to another directory.
func (l *inspection) isForeign(ch *channel.Channel, part string) bool {
	id := ch.Identity()
	foreign := l.identity != "" && id != l.identity
	if foreign {
		l.elsewhere = true
		where := ""
		if owner, err := ch.Owner(); err == nil && owner.IsKnown() {
			where = owner.Place() + ", "
		}
		l.wrong(part, "it belongs to another data directory (%sits identity is %s, this one's %s)", where, id, l.identity)
	}
	return foreign
}

// instance reads all frames of an instance, and applies those after the checkpoint.
func (l *inspection) instance(ctx context.Context, b *broker.Broker, store *checkpoint.Store, facts *channelFacts, isForeign bool) error {
	of, part := facts.of, "channel "+facts.name()
	m := &misfits{removed: l.x.removed[of.Stage]}
	ch, found, err := channel.Find(ctx, b, channel.Spec{Pipeline: l.pipeline, Stage: of.Stage, Instance: of.Number, Keys: l.x.keys, PassDamaged: m.pass})
	if err != nil {
		return l.refusal(part, err)
	}
	if !found {
		return nil
	}
	l.stages[of.String()] = facts
	err = ch.Replay(ctx, 1, func(r channel.Record) error {
		l.frame(part, facts, r)
		m.between(r)
		return nil
	})
	if err != nil {
		return l.refusal(part, err)
	}
	l.check("%s: %s, commits %d to %d%s", part, counted.Things(facts.frames, "frame"), facts.first, facts.last, facts.signedWith())
	passable, err := l.misfits(ctx, part, of, m, func() (bool, error) { return l.mayRemake(ctx, b, facts, store != nil) })
	if err != nil || !passable || store == nil || isForeign { // a refusal would advise to start over
		return err
	}
	view := view.New(of.Stage, store.Instance(of.String()))
	if err := view.CatchUp(ctx, ch, false); err != nil {
		return l.refusal(part, err)
	}
	return nil
}

// refusal is a finding, if err is not that something could not be looked at.
func (l *inspection) refusal(part string, err error) error {
	for _, kind := range []error{view.ErrRefused, channel.ErrCorruptFrame, channel.ErrStreamLost, channel.ErrForeign, dlq.ErrForeign, checkpoint.ErrCorrupt,
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
func (l *inspection) frame(part string, facts *channelFacts, r channel.Record) {
	f := r.Frame
	if key, isSigned := frame.SignedWith(r.Data); isSigned {
		facts.signed[key]++
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
		next, known := facts.next[of(s)]
		switch {
		case known && s.Base < next:
			l.wrong(part, "commit %d writes offset %d a second time", f.Commit, s.Base)
		case s.Base > next:
			facts.gaps[of(s)] = s.Base
		}
		facts.next[of(s)] = s.Next()
	}
	facts.frames++
	facts.last, facts.epoch, facts.inputs, facts.ended = f.Commit, f.Epoch, f.Inputs, f.Ended
}

// positions compares what every stage has taken with what there is to take.
func (l *inspection) positions() {
	names := make([]string, 0, len(l.stages))
	for name := range l.stages {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, p := range l.stages[name].inputs {
			if p.Stream != plan.ReplayStream {
				l.position(l.stages[name], p)
			}
		}
	}
	l.checkedPositions(names)
}

// checkedPositions says of how many stages; names are those of instances.
func (l *inspection) checkedPositions(names []string) {
	stages := len(plan.StagesOf(names))
	text := counted.Things(stages, "stage")
	if len(names) > stages {
		text += " with " + counted.Things(len(names), "instance")
	}
	l.check("positions of %s", text)
}

// isRetired says that the instance of that number has given its work to others.
func (l *inspection) isRetired(stage string, number int) bool {
	for _, f := range l.stages {
		if f.of.Stage == stage && number < f.layout.First {
			return true
		}
	}
	return false
}

func (l *inspection) position(reader *channelFacts, p frame.Position) {
	from, branch, _ := strings.Cut(p.Stream, "/")
	stage, to := reader.name(), destination{branch: branch}
	if reader.layout.IsDivided() {
		to = destination{plan.DividedBranch(branch, reader.of.Stage), uint32(reader.of.Number)}
	}
	producer := l.stages[plan.InstanceID{Stage: from, Number: int(p.Instance)}.String()]
	part := "channel " + from
	if producer != nil {
		part = "channel " + producer.name()
	}
	switch {
	case producer == nil && l.isRetired(from, int(p.Instance)): // all of it was taken
	case producer == nil:
		l.wrong(part, "it is gone, but stage %s reads it", stage)
	case p.Offset > producer.next[to] && l.lazy:
		l.note(part, "it ends after %s, and stage %s has consumed %d: a power cut lost the newest ones, since the server syncs at an interval; the next start rolls back the commits that consumed them", counted.Things(producer.next[to], "message"), stage, p.Offset)
	case p.Offset > producer.next[to]:
		l.wrong(part, "it ends after %s, and stage %s has consumed %d: it lost its tail", counted.Things(producer.next[to], "message"), stage, p.Offset)
	case p.Offset < producer.gaps[to] && !reader.ended:
		l.wrong(part, "stage %s has consumed %s of %s, and some before offset %d are missing", stage, counted.Things(p.Offset, "message"), p.Stream, producer.gaps[to])
	}
}
