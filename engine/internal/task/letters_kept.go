package task

import (
	"fmt"

	"penstock/engine/internal/answer"
	"penstock/engine/internal/durability"
)

// noteLetters notes that letters are kept up to a sequence. The note never goes
// down: the checkpointer notes in the first instance's corner, beside its task.
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
