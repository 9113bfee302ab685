package counted

import "testing"

func TestThingsAreCounted(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"0 dead letters":  Things(0, "dead letter"),
		"1 dead letter":   Things(1, "dead letter"),
		"2 calls":         Things(uint64(2), "call"),
		"999 bytes":       Things(999, "byte"),
		"1,000 bytes":     Things(1000, "byte"),
		"1,234,567 bytes": Things(1_234_567, "byte"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
