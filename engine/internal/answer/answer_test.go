package answer

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// is says which answers an error is taken for.
func is(err error) string {
	said := ""
	for name, yes := range map[string]bool{"P": IsPostponed(err), "R": IsRejected(err), "U": IsUnavailable(err), "F": IsFatal(err)} {
		if yes {
			said += name
		}
	}
	return said
}

// An answer is what it says, also wrapped; Unavailable is overruled by an answer around it.
func TestAnAnswerIsWhatItSays(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for want, list := range map[string][]error{
		"":  {nil, cause},
		"P": {Hold, &Snooze{time.Second}},
		"R": {Reject(nil, cause), Reject(nil, nil), Reject(nil, Unavailable(cause))},
		"U": {Unavailable(cause), Unavailable(nil)},
		"F": {Fatal(cause), Fatal(nil), Fatal(Unavailable(cause))},
	} {
		for _, err := range list {
			if got := is(err); got != want {
				t.Errorf("%v is taken for %q, not %q", err, got, want)
			}
			if err == nil {
				continue
			}
			if got := is(fmt.Errorf("wrapped: %w", err)); got != want {
				t.Errorf("%v wrapped is taken for %q, not %q", err, got, want)
			}
		}
	}
	for text, err := range map[string]error{
		"rejected: cause": Reject(nil, cause), "rejected without a reason": Reject(nil, nil),
		"unavailable: cause": Unavailable(cause), "unavailable without a reason": Unavailable(nil),
		"cause": Fatal(cause), "failed for good without a reason": Fatal(nil), "snooze for 1s": &Snooze{time.Second},
	} {
		if err.Error() != text {
			t.Errorf("%q, want %q", err, text)
		}
	}
	for _, err := range []error{Reject(nil, cause), Unavailable(cause), Fatal(cause)} {
		if !errors.Is(err, cause) {
			t.Errorf("%v has lost its cause", err)
		}
	}
}
