package flags

import "testing"

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"1000": "1s", "1": "1ms", "250ms": "250ms", "1.5s": "1.5s", "2m": "2m0s", "100us": "100µs"} {
		if got, err := ParseDuration(text); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v, want %s", text, got, err, want)
		}
	}
}
