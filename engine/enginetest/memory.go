package enginetest

import (
	"fmt"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/internal/memory"
)

// Memory is where pipelines run without a server and without files, so that a test of a whole pipeline takes
// milliseconds. The engine is the real one, and so are its frames, positions, restarts and dead letters; in place of
// the server and of Badger are those of the simulation of the commit protocol. What a process leaves behind when it
// dies, and what a disk or a connection does, is not tested that way.
//
// It holds one pipeline. A run after one that was stopped goes on where that was; a run after one that is complete
// starts anew. Safe for concurrent use.
type Memory struct{ backend *memory.Backend }

// NewMemory returns one that is empty. Use its In with [Run]:
//
//	status := enginetest.Run(t, p, enginetest.NewMemory().In)
func NewMemory() *Memory { return &Memory{backend: memory.New()} }

// In is for Run: keep the run in this memory. It works on any engine.Config, for programs that call Run of the
// pipeline.
func (m *Memory) In(c *engine.Config) {
	c.Memory, c.Dir = m.backend, ""
}

// DeadLetters returns the dead letters that are kept, in the order they were written.
func (m *Memory) DeadLetters() []dlq.Letter {
	if letters := m.backend.Letters(); letters != nil {
		return letters.List()
	}
	return nil
}

// Replay asks the stage that gave up on the message of a dead letter to take it again, in this run or the next one. A
// value, encoded as the stage's input is, takes the place of the message's; nil leaves it. The letter is named by its
// ID.
func (m *Memory) Replay(id string, value []byte) error {
	letters := m.backend.Letters()
	if letters == nil {
		return fmt.Errorf("replay %s: nothing has run in this memory", id)
	}
	return letters.Replay(id, value)
}

// StateIn reads the committed state of a stage in a memory, during a run or after it: by key for a keyed stage, else
// under the key "". It is [State] for a run without a directory.
func StateIn[S any](t testing.TB, m *Memory, stage string) map[string]S {
	t.Helper()
	states := map[string]S{}
	if err := m.backend.States(stage, decodeInto(states)); err != nil {
		t.Fatalf("state of %s: %v", stage, err)
	}
	return states
}
