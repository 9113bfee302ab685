package entry

import (
	"encoding/hex"
	"testing"
)

// If this fails, what is stored has another form: give it the next number (format.Value), and read this one too.
func TestTheFormOfAValueStaysTheSame(t *testing.T) {
	t.Parallel()
	for kind, want := range map[byte]string{FormatWhole: "01636f6e74656e747b6f473e", FormatPieces: "02636f6e74656e74a02bc057"} {
		raw := Seal(OwnedKey(SpaceKey, "a.0", "user"), kind, []byte("content"))
		if got := hex.EncodeToString(raw); got != want {
			t.Errorf("kind %d is %s, want %s", kind, got, want)
		}
	}
}
