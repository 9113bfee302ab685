package broker

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// Only what the server says after each killed process, and no other state of a stream, is no warning.
func TestAnIndexThatIsRebuiltIsNoWarning(t *testing.T) {
	t.Parallel()
	for text, isWarning := range map[string]bool{
		"Filestore [A > B] Stream state outdated, last block has additional entries, will rebuild": false,
		"Filestore [A > B] Stream state outdated, found extra blocks, will rebuild":                false,
		"Filestore [A > B] Stream state checksum did not match":                                    true,
		"Filestore [A > B] Stream state detected prior state, could not locate msg block 2":        true,
	} {
		var out bytes.Buffer
		serverLog{slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}.Warnf("%s", text)
		if !strings.Contains(out.String(), text) || strings.Contains(out.String(), "level=WARN") != isWarning {
			t.Errorf("a warning: %v, %s", isWarning, out.String())
		}
	}
}
