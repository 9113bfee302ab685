package wordcount_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"penstock/engine"
	"penstock/examples/wordcount"
	"penstock/internal/testing/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func run(t *testing.T, config wordcount.Config) string {
	t.Helper()
	p, err := wordcount.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.Run(ctx, engine.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatalf("run: %v", err)
	}
	data, err := os.ReadFile(config.Output)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestWordCountOfASmallTree(t *testing.T) {
	t.Parallel()
	root := writeTree(t, map[string]string{
		"a.txt":   "the way of\tthe message\r\n\n",
		"b/c.txt": " the end",
		"d.bin":   "not read",
	})
	got := run(t, wordcount.Config{Files: []string{root}, Extensions: []string{".txt"}, Output: filepath.Join(t.TempDir(), "out")})
	if want := "1 end\n1 message\n1 of\n3 the\n1 way\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWordCountOfNothingIsAnEmptyFile(t *testing.T) {
	t.Parallel()
	root := writeTree(t, map[string]string{"empty": "", "blank": " \n\v\f\r\n"})
	if got := run(t, wordcount.Config{Files: []string{root}, Output: filepath.Join(t.TempDir(), "out")}); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestWordCountOfOneLongLine(t *testing.T) {
	t.Parallel()
	words := 1 << 20
	if testing.Short() {
		words = 1 << 17
	}
	root := writeTree(t, map[string]string{"file": strings.Repeat("a ", words) + "\nb\n"})
	got := run(t, wordcount.Config{Files: []string{root}, Output: filepath.Join(t.TempDir(), "out")})
	if want := fmt.Sprintf("%d a\n1 b\n", words); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWordCountOfALongWord(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 60_000)
	root := writeTree(t, map[string]string{"file": "a " + long + " b\n"})
	got := run(t, wordcount.Config{Files: []string{root}, Output: filepath.Join(t.TempDir(), "out")})
	if want := fmt.Sprintf("1 a\n1 b\n1 %s\n", long); got != want {
		t.Errorf("got %.100q, want %.100q", got, want)
	}
}

// randomText has words that repeat, words that do not, bytes that are not
// UTF-8, and every kind of white space.
func randomText(random *rand.Rand, words int) string {
	var b strings.Builder
	for range words {
		switch random.IntN(20) {
		case 0:
			fmt.Fprintf(&b, "once-%d", random.Uint64())
		case 1:
			b.Write([]byte{0xff, byte(0x80 + random.IntN(64)), 'x', 0xa0, 0x01})
		default:
			fmt.Fprintf(&b, "word%d", random.IntN(500))
		}
		for range 1 + random.IntN(2) {
			b.WriteByte(" \t\n\v\f\r"[random.IntN(6)])
		}
	}
	return b.String()
}

func TestWordCountAgreesWithCoreutils(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "tr", "sort", "uniq", "sed", "find"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprintf("%d/%d/file.txt", i%3, i)] = randomText(random, random.IntN(4000))
	}
	root := writeTree(t, files)
	// A file may end without white space: each one is cut into words by itself.
	script := `find "$1" -type f -exec sh -c 'for f; do tr -s "[:space:]" "\n" <"$f"; echo; done' sh {} + | sed '/^$/d' | sort | uniq -c | sed 's/^ *//'`
	command := exec.CommandContext(t.Context(), "sh", "-c", script, "sh", root)
	command.Env = append(os.Environ(), "LC_ALL=C")
	want, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(want, []byte("\n")) < 1000 {
		t.Fatalf("the oracle is too small: %d lines", bytes.Count(want, []byte("\n")))
	}
	got := run(t, wordcount.Config{Files: []string{root}, Output: filepath.Join(t.TempDir(), "out")})
	if got != string(want) {
		t.Errorf("%d bytes, want %d: got %.300q, want %.300q", len(got), len(want), got, want)
	}
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, config := range []wordcount.Config{{Output: "out"}, {Files: []string{"in"}}} {
		if _, err := wordcount.New(config); err == nil {
			t.Errorf("%+v is taken", config)
		}
	}
}
