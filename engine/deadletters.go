package engine

import (
	"fmt"

	"penstock/dlq"
)

// DeadLetters returns the dead letters of the running pipeline, to list,
// replay or discard them. It is of use until the run ends. Safe for concurrent
// use.
func (p *Pipeline) DeadLetters() (*dlq.Queue, error) {
	r, err := p.serving()
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	if r.queue == nil {
		return nil, fmt.Errorf("dead letters: %w: ask the memory for them", ErrInMemory)
	}
	return r.queue, nil
}
