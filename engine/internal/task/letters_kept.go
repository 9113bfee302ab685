package task

import (
	"fmt"

	"penstock/engine/internal/answer"
	"penstock/engine/internal/durability"
)

// noteLetters notes that letters are kept up to a sequence.
func (in *Instance) noteLetters(reached uint64) error {
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
