package doctor

import (
	"context"
	"errors"
	"fmt"
	"math"

	"penstock/checkpoint"
	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/internal/blocks"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/durability"
)

// letters reads all dead letters.
func (l *inspection) letters(ctx context.Context, b *broker.Broker, store *checkpoint.Store) error {
	queue, found, err := dlq.Lookup(ctx, b.JetStream(), l.pipeline)
	if err != nil {
		return err
	}
	last := uint64(0)
	if found {
		if foreign := queue.Belongs(l.identity); l.identity != "" && foreign != nil {
			l.elsewhere = true
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
	err = queue.Each(ctx, func(dlq.Letter) error { count++; return nil })
	switch {
	case errors.Is(err, dlq.ErrDamaged) && !errors.Is(err, dlq.ErrNewerVersion): // the pipeline runs beside it
		l.note("dead letters", "%v", err)
	case err != nil:
		return err
	}
	l.check("dead letters: %d", count)
	return nil
}

// lettersReach compares the end of the queue with what the store says was kept.
func (l *inspection) lettersReach(store *checkpoint.Store, last uint64) error {
	if store == nil {
		return nil
	}
	noted, names := uint64(0), make([]string, 0, len(l.stages))
	for name := range l.stages {
		names = append(names, name)
		n, err := durability.Letters(store.Instance(name))
		if err != nil {
			return err
		}
		noted = max(noted, n)
	}
	end, blockless := uint64(math.MaxUint64), false
	if s, found, err := blocks.Lookup(l.dir.Broker(), dlq.StreamName(l.pipeline)); err == nil && found {
		blockless = s.Blockless()
		if end, _, err = durability.LetterFiles(s); err != nil {
			return err
		}
	}
	switch last = min(last, end); {
	case noted <= last:
		return nil
	case noted&durability.Lost != 0:
		l.wrong("dead letters", "they were stored up to sequence %d, and a start found some of their files missing", noted&^durability.Lost)
	default:
		l.wrong("dead letters", "they end at sequence %d, but were stored up to %d: they lost their tail or their files, or were deleted", last, noted)
	}
	text := "continue without the dead letters whose files are missing: they are lost"
	if last < noted&^durability.Lost {
		text = fmt.Sprintf("continue without the dead letters from sequence %d to %d: they are lost", last+1, noted&^durability.Lost)
	}
	l.fixes = append(l.fixes, fix{text: text, apply: func(path string) error {
		if s, found, err := blocks.Lookup(datadir.At(path).Broker(), dlq.StreamName(l.pipeline)); blockless && err == nil && found {
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
		if n, failed := durability.Letters(i); failed != nil || n > last {
			err = errors.Join(err, durability.SetLetters(i, last))
		}
	}
	return errors.Join(err, store.Close())
}
