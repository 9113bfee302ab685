package cli

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"penstock/cmd/pipeline/internal/render"
	"penstock/dlq"
)

func TestLettersTable(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var out strings.Builder
	table := newLettersTable(&out, 60)
	table.now, table.page = func() time.Time { return now }, 2
	for i := range 5 {
		l := dlq.Letter{Stage: "s", Input: "i", Offset: uint64(math.Pow10(i)), Reason: dlq.ReasonError, Round: 1, Key: strings.Repeat("k", 20*i),
			Error: "\r\n" + strings.Repeat("é", 60) + "\r\nmore", At: now.Add(-time.Duration(i) * time.Hour), AttemptsOmitted: 5}
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
	mustContain(t, "a line", lines[5], " 5 ", " 4h ", "kkk")

	out.Reset()
	table = newLettersTable(&out, 3)
	if err := table.flush(); err != nil || out.Len() != 0 {
		t.Errorf("without letters: %v, %q", err, out.String())
	}
	if err := table.add(dlq.Letter{Stage: "stage", Input: "input", Offset: 1}); err != nil || table.flush() != nil || !strings.Contains(out.String(), "\nstage.0:input.0:1 …\n") {
		t.Errorf("the ID is cut: %v, %q", err, out.String())
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{-time.Second: "0s", 59 * time.Second: "59s", time.Minute: "1m", 47 * time.Hour: "47h", 49 * time.Hour: "2d"} {
		if got := render.Age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("there", 3600)
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, zone)
	for text, want := range map[string]time.Time{
		"2026-01-02T03:04:05Z": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02T03:04":     time.Date(2026, 1, 2, 3, 4, 0, 0, zone),
		"2026-01-02 03:04:05":  time.Date(2026, 1, 2, 3, 4, 5, 0, zone),
		"2026-01-02":           time.Date(2026, 1, 2, 0, 0, 0, 0, zone),
		"90m":                  now.Add(-90 * time.Minute),
		"1.5d":                 now.Add(-36 * time.Hour),
		"0s":                   now,
	} {
		if got, err := parseMoment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-1h", "-1d", "1e300d", "NaNd", "noon", "2026-13-01"} {
		if got, err := parseMoment(text, now); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
