package format

import (
	"errors"
	"testing"
)

func TestNewerNamesBothNumbersAndTheRemedy(t *testing.T) {
	t.Parallel()
	err := Newer("the frame", 3, 2)
	const want = "the frame is written by a newer version of Penstock (format 3, this build reads up to 2): use that version"
	if !errors.Is(err, ErrNewer) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
