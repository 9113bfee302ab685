package dlq

import (
	"testing"
)

func TestARequestThatIsGoneIsMissed(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	check := func(what string, from uint64, want bool) {
		t.Helper()
		if got, err := q.IsEveryRequestThere(t.Context(), from); err != nil || got != want {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	check("no stream", 0, true)
	for offset := range uint64(2) {
		mustPut(t, q, letterAt(offset), true)
		l, found, err := q.Get(t.Context(), letterAt(offset).ID())
		if err == nil && found {
			err = q.Replay(t.Context(), l, ReplayOptions{})
		}
		if err != nil || !found {
			t.Fatalf("request the replay of %d: %v, %v", offset, found, err)
		}
	}
	check("both wait", 0, true)
	first, found, err := q.NextReplay(t.Context(), "worker", 0, 0)
	if err != nil || !found {
		t.Fatalf("the first request: %v, %v", found, err)
	}
	if err := q.Withdraw(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	check("the first is gone", 0, false)
	check("the first is gone", first.Sequence, false)
	check("behind that", first.Sequence+1, true)
}
