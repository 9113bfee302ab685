package entry

import (
	"bytes"
	"strings"
	"testing"

	"penstock/internal/format"
)

func TestAValueBelongsToItsKey(t *testing.T) {
	t.Parallel()
	key := OwnedKey(SpaceKey, "a.0", "user")
	raw := Seal(key, FormatWhole, []byte("content"))
	if kind, payload, err := Unseal(key, raw); kind != FormatWhole || string(payload) != "content" || err != nil {
		t.Fatalf("format %d, %q, %v", kind, payload, err)
	}
	if _, _, err := Unseal(OwnedKey(SpaceKey, "a.0", "uses"), raw); err == nil {
		t.Error("it is a value of another key")
	}
	for bit := range len(raw) * 8 {
		bad := bytes.Clone(raw)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, _, err := Unseal(key, bad); err == nil {
			t.Errorf("bit %d may be flipped", bit)
		}
	}
	for n := range raw {
		if _, _, err := Unseal(key, raw[:n]); err == nil {
			t.Errorf("%d of %d bytes are a value", n, len(raw))
		}
	}
}

func TestAValueOfANewerVersionIsCalledNewer(t *testing.T) {
	t.Parallel()
	key := NoteKey("n")
	if _, _, err := Unseal(key, Seal(key, format.Value+1, nil)); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a newer format: %v", err)
	}
	if _, _, err := Unseal(key, Seal(key, 0, nil)); err == nil || strings.Contains(err.Error(), "newer") {
		t.Errorf("format 0: %v", err)
	}
}

// No key of an instance is one of another whose name begins with the same letters.
func TestKeysOfInstancesAreApart(t *testing.T) {
	t.Parallel()
	if bytes.HasPrefix(OwnedKey(SpaceKey, "a.00", ""), OwnedKey(SpaceKey, "a.0", "")) {
		t.Error("a.00 has keys of a.0")
	}
	piece := PieceKey(1<<40, 7)
	if generation, ok := GenerationOf(piece); generation != 1<<40 || !ok {
		t.Errorf("the piece is of generation %d, %v", generation, ok)
	}
	if _, ok := GenerationOf(piece[:8]); ok {
		t.Error("a key without a generation has one")
	}
}
