package render

import (
	"io"
	"strings"
	"testing"
)

func TestScreenKeepsTheBlockBelow(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := &Screen{Out: &out}
	s.Show([]string{"one", "two"})
	_, _ = io.WriteString(s, "log\n")
	s.Show([]string{"three"})
	s.Leave()
	_, _ = io.WriteString(s, "end\n")
	want := "one\ntwo\n" +
		"\x1b[2A\r\x1b[J" + "log\none\ntwo\n" +
		"\x1b[2A\r\x1b[J" + "three\n" +
		"end\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
