package engine

import (
	"fmt"

	"penstock/engine/internal/answer"
	"penstock/engine/internal/durability"
)

// noteLetters notes that letters are kept up to a sequence.
func (in *instance) noteLetters(reached uint64) error {
	if reached <= in.lettersNoted.Load() {
		return nil
	}
	err := in.run.space.persist(func() error { return durability.KeepLetters(in.committed.Store, reached) })
	if err != nil {
		return answer.Fatal(fmt.Errorf("stage %s: record how far the dead letters reach: %w", in.definition.Name, err))
	}
	in.lettersNoted.Store(reached)
	return nil
}
