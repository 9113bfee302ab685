package breaker

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// model says what a breaker does for one caller whose calls do not overlap.
type model struct {
	state    State
	inARow   int
	openedAt time.Time
}

func (m *model) allow() bool {
	if m.state == StateOpen && time.Since(m.openedAt) >= open {
		m.state = StateHalfOpen
	}
	return m.state != StateOpen
}

func (m *model) done(success bool) {
	switch {
	case success:
		m.state, m.inARow = StateClosed, 0
	case m.state == StateClosed && m.inARow+1 < 3:
		m.inARow++
	default:
		m.state, m.inARow, m.openedAt = StateOpen, 0, time.Now()
	}
}

// A long random run, in which a call takes time and may outlast the breaker's, agrees with the model at every step.
func TestModel(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	synctest.Test(t, func(t *testing.T) {
		b := New("test", Config{Failures: 3, Open: open})
		m := &model{}
		var seen [3]int
		for step := range 20_000 {
			time.Sleep(time.Duration(random.Int64N(int64(open) / 2)))
			_, ok := b.Allow()
			if want := m.allow(); ok != want {
				t.Fatalf("seed %d, step %d: Allow says %v in state %v", seed, step, ok, b.State())
			}
			if ok {
				time.Sleep(time.Duration(random.Int64N(int64(open) / 2 * 3)))
				switch random.IntN(5) {
				case 0:
					b.Drop()
				case 1:
					b.Done(true)
					m.done(true)
				default:
					b.Done(false)
					m.done(false)
				}
			}
			if b.State() != m.state {
				t.Fatalf("seed %d, step %d: state %v, want %v", seed, step, b.State(), m.state)
			}
			seen[m.state]++
		}
		for s, n := range seen {
			if n < 100 {
				t.Errorf("seed %d: the run was %v after %d steps only", seed, State(s), n)
			}
		}
	})
}
