package socket

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestDialNobody(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none"), strings.Repeat("/long", 40)} {
		conn, err := Dial(t.Context(), dir)
		if err == nil {
			conn.Close()
			t.Errorf("%s: connected", dir)
		}
		if _, err := (Client{Dir: dir}).State(t.Context(), "worker", nil); err == nil || !strings.Contains(err.Error(), ErrNobody.Error()) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
