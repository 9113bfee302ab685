package dlqcmd

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"penstock/dlq"
)

func TestLettersTable(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var out strings.Builder
	table := newLettersTable(&out, 60)
	table.now, table.page = func() time.Time { return now }, 2
	for i := range 5 {
		l := dlq.Letter{
			Origin:  dlq.Origin{Stage: "s", Input: "i", Offset: uint64(math.Pow10(i))},
			Content: dlq.Content{Key: strings.Repeat("k", 20*i)},
			Cause:   dlq.Cause{Reason: dlq.ReasonError, Error: "\r\n" + strings.Repeat("é", 60) + "\r\nmore", AttemptsOmitted: 5},
			Rounds:  dlq.Rounds{Round: 1},
			Write:   dlq.Write{At: now.Add(-time.Duration(i) * time.Hour)},
		}
		if err := table.add(l); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(out.String(), "\n"); got != 5 {
		t.Errorf("%d lines before the last page is full", got)
	}
	if err := table.flush(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 6 || !strings.HasPrefix(lines[0], "id") || !strings.HasPrefix(lines[5], "s.0:i.0:10000  ") {
		t.Errorf("%q", lines)
	}
	for _, line := range lines {
		if utf8.RuneCountInString(line) > 59 || strings.Contains(line, "more") {
			t.Errorf("%q", line)
		}
	}
	for _, part := range []string{" 5 ", " 4h ", "kkk"} {
		if !strings.Contains(lines[5], part) {
			t.Errorf("a line does not say %q:\n%s", part, lines[5])
		}
	}

	out.Reset()
	table = newLettersTable(&out, 3)
	if err := table.flush(); err != nil || out.Len() != 0 {
		t.Errorf("without letters: %v, %q", err, out.String())
	}
	if err := table.add(dlq.Letter{Origin: dlq.Origin{Stage: "stage", Input: "input", Offset: 1}}); err != nil || table.flush() != nil || !strings.Contains(out.String(), "\nstage.0:input.0:1 …\n") {
		t.Errorf("the ID is cut: %v, %q", err, out.String())
	}
}
