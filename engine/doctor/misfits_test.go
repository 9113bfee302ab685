package doctor

import "testing"

// Only what cannot have been a commit is taken out.
func TestWasCommit(t *testing.T) {
	t.Parallel()
	m := &misfits{frames: []commitAt{{10, 1}, {12, 2}, {14, 4}}, found: map[uint64]misfit{}}
	for sequence, c := range map[uint64]struct{ begins, want bool }{
		9:  {false, false}, // before all
		8:  {true, true},
		11: {true, false}, // commit 2 follows commit 1
		13: {false, true}, // commit 3 is missing
		15: {false, false},
		16: {true, true},
	} {
		m.found[sequence] = misfit{begins: c.begins}
		if got := m.wasCommit(sequence); got != c.want {
			t.Errorf("sequence %d: %v", sequence, got)
		}
	}
}
