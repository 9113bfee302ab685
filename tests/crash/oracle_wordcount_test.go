package crash

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"penstock/engine/faultpoint"
	"penstock/engine/inspect"
)

// wordcountWorkload counts the words of a generated text.
func wordcountWorkload(text textFiles, more ...string) workload {
	return workload{
		name: "wordcount",
		args: func(s site) []string {
			args := append([]string{"wordcount", "-dir", s.data(), "-url", s.url, "-report", s.report(), "-output", s.output()}, more...)
			return append(args, text.dir)
		},
		check: func(t *testing.T, s site) error { return checkWordcount(t.Context(), s, text) },
		lines: 60,
		places: slices.Concat(
			stagePlaces("lines", 20, 3), readerPlaces("split", 10_000, 4), readerPlaces("count", 50_000, 8),
			without(readerPlaces("report", 10_000, 2), faultpoint.MidRecovery), // its first commit may well be the last of all
			commonPlaces(6), trimPlaces(2, "lines", "split", "count")),
	}
}

func checkWordcount(ctx context.Context, s site, text textFiles) error {
	got, err := os.ReadFile(s.output())
	if err != nil {
		return err
	}
	if err := sameLines(got, text.counted()); err != nil {
		return fmt.Errorf("counts: %w", err)
	}
	err = s.inspect(ctx, func(i *inspect.Inspector) error {
		states, err := statesOf[uint64](ctx, i, "count")
		if err == nil && len(states) != len(text.counts) {
			err = fmt.Errorf("%d words have a state, want %d", len(states), len(text.counts))
		}
		for word, n := range text.counts {
			if err == nil && states[word] != n {
				err = fmt.Errorf("state of %q: %d, want %d", word, states[word], n)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	status, err := s.readReport()
	if err != nil {
		return err
	}
	different := uint64(len(text.counts))
	return checkCounts(status, map[string][2]uint64{
		"lines": {0, text.lines}, "split": {text.lines, text.words}, "count": {text.words, different}, "report": {different, 0},
	})
}

// sameLines shows the first difference only: the files are long.
func sameLines(got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	g, w := bufio.NewScanner(bytes.NewReader(got)), bufio.NewScanner(bytes.NewReader(want))
	for line := 1; ; line++ {
		gotLine, wantLine := g.Scan(), w.Scan()
		if g.Text() != w.Text() || !gotLine || !wantLine {
			return fmt.Errorf("line %d is %.80q, want %.80q", line, g.Text(), w.Text())
		}
	}
}

// textFiles are generated texts and what is in them.
type textFiles struct {
	dir          string
	lines, words uint64
	counts       map[string]uint64
}

const (
	textFileCount    = 5
	textLinesPerFile = 4000
	textWordsPerLine = 12
)

// writeText generates about 1 MB.
func writeText(t *testing.T, random *rand.Rand) textFiles {
	t.Helper()
	text := textFiles{dir: filepath.Join(t.TempDir(), "text"), counts: map[string]uint64{}}
	if err := os.Mkdir(text.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for file := range textFileCount {
		var data bytes.Buffer
		for range textLinesPerFile {
			for range random.IntN(2 * textWordsPerLine) {
				word := strconv.FormatUint(uint64(random.ExpFloat64()*2000), 36)
				word = strings.Repeat(word, 1+random.IntN(3))
				text.counts[word]++
				text.words++
				data.WriteString(word + strings.Repeat(" ", 1+random.IntN(2)))
			}
			data.WriteByte('\n')
			text.lines++
		}
		if err := os.WriteFile(filepath.Join(text.dir, fmt.Sprintf("%d.txt", file)), data.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return text
}

// counted is the reference, as it should be in the output.
func (text textFiles) counted() []byte {
	var words []string
	for word := range text.counts {
		words = append(words, word)
	}
	slices.Sort(words)
	var out []byte
	for _, word := range words {
		out = strconv.AppendUint(out, text.counts[word], 10)
		out = append(out, ' ')
		out = append(out, word...)
		out = append(out, '\n')
	}
	return out
}
