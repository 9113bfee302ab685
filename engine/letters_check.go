package engine

import (
	"context"
	"fmt"
	"math"

	"penstock/dlq"
	"penstock/engine/internal/blocks"
	"penstock/engine/internal/durability"
	"penstock/engine/remedy"
)

// checkLetters refuses a queue that has lost letters.
func (r *run) checkLetters(ctx context.Context) error {
	noted := uint64(0)
	for _, in := range r.Instances {
		n, err := durability.Letters(in.Committed.Store)
		if err != nil {
			return fmt.Errorf("stage %s: read how far the dead letters reach: %w", in.Definition.Name, err)
		}
		in.LettersNoted.Store(n)
		noted = max(noted, n)
	}
	if noted == 0 {
		return nil
	}
	if r.lettersEnd < noted {
		noted |= durability.Lost
		if err := durability.SetLetters(r.Noting().Committed.Store, noted); err != nil {
			return err
		}
	}
	last, err := r.queue.Last(ctx)
	if err == nil && last < noted {
		err = remedy.Errorf("%w: dead letters were stored up to sequence %d, but stream %s does not have them: it lost its tail or its files, or was deleted; "+
			"restore it, or accept the loss with %v, or start over with %v", ErrRefused, noted&^durability.Lost, dlq.StreamName(r.Plan.Name), remedy.Repair, remedy.Fresh)
	}
	return err
}

// checkLetterFiles refuses damaged files of the letters before the server cuts
// them off. What a death in a write leaves is no damage.
func (r *run) checkLetterFiles() error {
	r.lettersEnd = math.MaxUint64
	if starting, err := r.Dir.IsStartingOver(r.Plan.Name); err != nil || starting || r.config.Fresh || r.config.NATS.URL != "" {
		return err
	}
	s, found, err := blocks.Lookup(r.Dir.Broker(), dlq.StreamName(r.Plan.Name))
	if err != nil || !found {
		return nil
	}
	end, damages, err := durability.LetterFiles(s)
	if err != nil {
		return fmt.Errorf("read the files of stream %s: %w", s.Name, err)
	}
	if len(damages) > 0 {
		return remedy.Errorf("%w: the dead letters are damaged: %v; see %v, accept the loss of what %v cannot repair, "+
			"or start over with %v", ErrRefused, damages[0], remedy.Examine, remedy.Repair, remedy.Fresh)
	}
	r.lettersEnd = end
	return nil
}
