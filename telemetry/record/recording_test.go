package record

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"penstock/internal/format"
)

// A recording of a later build is called that, whatever else is in it, and what is none is called that.
func TestARecordingOfANewerVersionIsNotCalledDamaged(t *testing.T) {
	t.Parallel()
	head := func(version int) string {
		return fmt.Sprintf(`{"format":"penstock-telemetry","version":%d,"graph":{},"more":1}`, version) + "\nsomething else\n"
	}
	_, _, _, err := CheckRecording(strings.NewReader(head(format.Recording + 1)))
	if !errors.Is(err, format.ErrNewer) || errors.Is(err, ErrRecording) {
		t.Errorf("of a newer version: %v", err)
	}
	for name, text := range map[string]string{"of no version": head(0), "damaged": head(format.Recording), "empty": "", "another file": "{}\n"} {
		if _, _, _, err := CheckRecording(strings.NewReader(text)); !errors.Is(err, ErrRecording) || errors.Is(err, format.ErrNewer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
