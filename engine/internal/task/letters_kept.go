package task

import (
	"fmt"

	"penstock/engine/internal/answer"
	"penstock/engine/internal/durability"
)

// LettersReached is the sequence up to which dead letters are kept.
func (r *Run) LettersReached() uint64 { return r.Letters.Reached() }

// NoteLetters notes that letters are kept up to a sequence.
func (r *Run) NoteLetters(reached uint64) error { return r.Noting().noteLetters(reached) }

// Noting is the instance in whose corner of the store the notes of the whole
// pipeline are: any would do, for who reads them asks all.
func (r *Run) Noting() *Instance { return r.Instances[0] }

// noteLetters notes that letters are kept up to a sequence. The note never goes
// down: the checkpointer may note at the same time as the task.
func (in *Instance) noteLetters(reached uint64) error {
	if reached <= in.LettersNoted.Load() {
		return nil
	}
	in.notingLetter.Lock()
	defer in.notingLetter.Unlock()
	if reached <= in.LettersNoted.Load() {
		return nil
	}
	err := in.Run.Space.Persist(func() error { return durability.KeepLetters(in.Committed.Store, reached) })
	if err != nil {
		return answer.Fatal(fmt.Errorf("stage %s: record how far the dead letters reach: %w", in.Definition.Name, err))
	}
	in.LettersNoted.Store(reached)
	return nil
}
