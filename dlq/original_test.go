package dlq

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// The value that a person replaced stays until a replay is done, whatever fails, and can be brought back.
func TestAReplacedValueIsKeptUntilAReplayIsDone(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]string{"value": "first", "empty value": "", "long key": "first"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := openNew(t)
			l := letterAt(1)
			l.Value = []byte(first)
			if name == "long key" {
				l.Key = strings.Repeat("k", 3<<10)
			}
			mustPut(t, q, l, true)
			next := func(o ReplayOptions) Replay {
				if err := q.Replay(t.Context(), stored(t, q, l.ID()), o); err != nil {
					t.Fatal(err)
				}
				r, found, err := q.NextReplay(t.Context(), "worker", 0, 0)
				if err != nil || !found {
					t.Fatal(found, err)
				}
				if err := q.Withdraw(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				return r
			}
			for _, value := range []string{"second", "third"} {
				edited := []byte(value)
				again := next(ReplayOptions{Value: &edited, MaxRounds: -1}).Again()
				again.Reason = ReasonError
				mustPut(t, q, again, true)
				got := stored(t, q, l.ID())
				if string(got.Value) != value || got.Original == nil || string(got.Original) != first || got.Key != l.Key || !got.Edited {
					t.Fatalf("after %s failed: %q, original %q, key of %d bytes", value, got.Value, got.Original, len(got.Key))
				}
				line, err := json.Marshal(got)
				var back Letter
				if err == nil {
					err = json.Unmarshal(line, &back)
				}
				if err != nil || back.Original == nil || string(back.Original) != first {
					t.Errorf("an export has the original %q, %v", back.Original, err)
				}
			}
			r := next(ReplayOptions{Original: true, MaxRounds: -1})
			if string(r.Letter.Value) != first || r.Letter.Edited || r.Letter.Original != nil {
				t.Errorf("brought back: %q, edited %v", r.Letter.Value, r.Letter.Edited)
			}
		})
	}
}

func TestADamagedLengthOfTheOriginalIsDamage(t *testing.T) {
	t.Parallel()
	l := letterAt(1)
	l.Original = []byte("first")
	for _, length := range []string{"-1", "8", "x"} {
		msg := encode(l, fullLimits, "w")
		msg.Header.Set(headerOriginalBytes, length)
		if _, err := decode(&jetstream.RawStreamMsg{Subject: msg.Subject, Header: msg.Header, Data: msg.Data}); !errors.Is(err, ErrDamaged) {
			t.Errorf("length %s: %v", length, err)
		}
	}
}
