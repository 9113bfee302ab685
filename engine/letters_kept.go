package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/internal/blocks"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/plan"
	"penstock/engine/remedy"
)

// A message whose letter is lost is lost: no position and no count tells that it
// was there. The server says nothing either when it finds a damaged record, and
// goes on with what is before it. So the store knows how far the letters reach,
// and their files are read before the server gets them.

// lettersNote holds the sequence up to which letters were kept. An instance notes
// it before the commit that passes the messages; where files are synced at
// intervals the checkpointer does, since no note may outlive a letter.
const lettersNote = "letters"

// lettersLost is set in it when the files were found gone: the server, which
// knows the sequence all the same, has made new ones since.
const lettersLost = 1 << 63

func (r *run) syncsLazily() bool { return r.config.Sync > 0 && r.config.NATS.URL == "" }

// noteLetters notes that letters are kept up to a sequence.
func (in *instance) noteLetters(reached uint64) error {
	if reached <= in.lettersNoted.Load() {
		return nil
	}
	note := binary.LittleEndian.AppendUint64(nil, reached)
	err := in.run.space.persist(func() error { return in.committed.Store.PutNoteUnsynced(lettersNote, note) })
	if err != nil {
		return Fatal(fmt.Errorf("stage %s: note how far the dead letters reach: %w", in.definition.Name, err))
	}
	in.lettersNoted.Store(reached)
	return nil
}

// noteReader is what has notes: the corner of an instance in the store.
type noteReader interface {
	Note(name string) ([]byte, bool, error)
}

func notedLetters(of noteReader) (uint64, error) {
	note, found, err := of.Note(lettersNote)
	if err != nil || !found || len(note) != 8 {
		return 0, err
	}
	return binary.LittleEndian.Uint64(note), nil
}

// checkLetters refuses a queue that has lost letters.
func (r *run) checkLetters(ctx context.Context) error {
	noted := uint64(0)
	for _, in := range r.instances {
		n, err := notedLetters(in.committed.Store)
		if err != nil {
			return fmt.Errorf("stage %s: how far the dead letters reach: %w", in.definition.Name, err)
		}
		in.lettersNoted.Store(n)
		noted = max(noted, n)
	}
	if noted == 0 {
		return nil
	}
	if r.lettersEnd < noted {
		noted |= lettersLost
		if err := r.instances[0].committed.Store.PutNote(lettersNote, binary.LittleEndian.AppendUint64(nil, noted)); err != nil {
			return err
		}
	}
	last, err := r.queue.Last(ctx)
	if err == nil && last < noted {
		err = remedy.Errorf("%w: dead letters were kept up to sequence %d, and stream %s does not have them: it lost its tail or its files, or was deleted; "+
			"restore it, or accept the loss with %v, or start over with %v", ErrRefused, noted&^lettersLost, dlq.StreamName(r.pipeline.plan.Name), remedy.Repair, remedy.Fresh)
	}
	return err
}

// checkLetterFiles refuses damaged files of the letters before the server cuts
// them off. What a death in a write leaves is no damage.
func (r *run) checkLetterFiles() error {
	r.lettersEnd = math.MaxUint64
	if starting, err := r.dir.IsStartingOver(r.pipeline.plan.Name); err != nil || starting || r.config.Fresh || r.config.NATS.URL != "" {
		return err
	}
	s, err := streamIn(r.dir.Path, dlq.StreamName(r.pipeline.plan.Name))
	if err != nil { // there is none
		return nil
	}
	end, damages, err := letterFiles(s)
	if err != nil {
		return fmt.Errorf("read the files of stream %s: %w", s.Name, err)
	}
	if len(damages) > 0 {
		return remedy.Errorf("%w: the dead letters are damaged: %v; see %v, accept the loss of what %v cannot mend, "+
			"or start over with %v", ErrRefused, damages[0], remedy.Examine, remedy.Repair, remedy.Fresh)
	}
	r.lettersEnd = end
	return nil
}

// letterFiles reads the files of the letters: behind end there are none any
// more, whatever the server's index says. Damages that are mended at a start, or
// are what a death in a write leaves, are left out.
func letterFiles(s *blocks.Stream) (end uint64, damages []blocks.Damage, err error) {
	last, torn := uint64(0), s.Blockless()
	all, err := s.Scan(func(r blocks.Record) error {
		last = max(last, r.Sequence)
		return nil
	})
	if errors.Is(err, errors.ErrUnsupported) {
		return math.MaxUint64, nil, nil
	}
	for _, d := range all {
		torn = torn || d.Torn
		if d.Bit < 0 && !d.Torn {
			damages = append(damages, d)
		}
	}
	if !torn {
		last = math.MaxUint64
	}
	return last, damages, err
}

// lettersReach compares the end of the queue with what the store says was kept.
func (l *look) lettersReach(store *checkpoint.Store, last uint64) error {
	if store == nil {
		return nil
	}
	noted, names := uint64(0), make([]string, 0, len(l.stages))
	for stage := range l.stages {
		name := plan.Only(stage).String()
		names = append(names, name)
		n, err := notedLetters(store.Instance(name))
		if err != nil {
			return err
		}
		noted = max(noted, n)
	}
	end, blockless := uint64(math.MaxUint64), false
	if s, err := streamIn(l.dir.Path, dlq.StreamName(l.pipeline)); err == nil {
		blockless = s.Blockless()
		if end, _, err = letterFiles(s); err != nil {
			return err
		}
	}
	switch last = min(last, end); {
	case noted <= last:
		return nil
	case noted&lettersLost != 0:
		l.wrong("dead letters", "they were kept up to sequence %d, and a start found files of them gone", noted&^lettersLost)
	default:
		l.wrong("dead letters", "they end at sequence %d, and were kept up to %d: they lost their tail or their files, or were deleted", last, noted)
	}
	text := "go on without the dead letters whose files are gone: they are lost"
	if last < noted&^lettersLost {
		text = fmt.Sprintf("go on without the dead letters from sequence %d to %d: they are lost", last+1, noted&^lettersLost)
	}
	l.fixes = append(l.fixes, fix{text: text, apply: func(path string) error {
		if s, err := streamIn(path, dlq.StreamName(l.pipeline)); blockless && err == nil {
			if err := s.DropIndex(); err != nil {
				return err
			}
		}
		return forgetLetters(path, names, last)
	}})
	return nil
}

// forgetLetters notes that letters are kept up to a sequence, and no further.
func forgetLetters(path string, names []string, last uint64) error {
	store, err := checkpoint.Open(checkpoint.Config{Dir: datadir.At(path).Checkpoints()})
	if err != nil {
		return err
	}
	for _, name := range names {
		i := store.Instance(name)
		if n, failed := notedLetters(i); failed != nil || n > last {
			err = errors.Join(err, i.PutNote(lettersNote, binary.LittleEndian.AppendUint64(nil, last)))
		}
	}
	return errors.Join(err, store.Close())
}
