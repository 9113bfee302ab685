//go:build unix

package crash

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The words of the Go source tree, or a part of it, are as many as coreutils count, also when the run was killed ten times.
func TestWordsOfGoSourceTree(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("reads a lot")
	}
	roots := sourceTree(t)
	began := time.Now()
	want, size, words := coreutils(t, roots)
	t.Logf("coreutils: %d bytes, %d words in %v", size, words, time.Since(began).Round(time.Millisecond))

	w := workload{name: "wordcount"}
	w.args = func(s site) []string {
		args := []string{"wordcount", "-dir", s.data(), "-output", s.output(), "-report", s.report(), "-checkpoint", "1s", "-ext", ".go"}
		return append(args, roots...)
	}
	w.check = func(_ *testing.T, s site) error {
		got, err := os.ReadFile(s.output())
		if err != nil {
			return err
		}
		return sameLines(got, want)
	}

	clean := newCampaign(t, w)
	progress := 0
	clean.run(func(_ *victim, line string) {
		if isProgress(line) {
			progress++
		}
	})
	elapsed := time.Since(clean.began)
	t.Logf("one run: %v, %.1f MB/s, %.0f words/s", elapsed.Round(time.Millisecond),
		float64(size)/1e6/elapsed.Seconds(), float64(words)/elapsed.Seconds())

	const times = 10
	killedOften := newCampaign(t, w)
	defer killedOften.report()
	for tries := 0; killedOften.kills[""] < times; tries++ {
		if tries == 3*times {
			t.Fatalf("only %d kills in %d runs", killedOften.kills[""], tries)
		}
		killedOften.killAfterProgress(1 + killedOften.random.IntN(2*progress/times))
	}
	killedOften.finish()
}

// killAfterProgress kills the victim from outside at a line of progress.
func (c *campaign) killAfterProgress(lines int) {
	c.Helper()
	seen := 0
	result := c.run(func(victim *victim, line string) {
		if isProgress(line) {
			if seen++; seen >= lines {
				victim.Kill()
			}
		}
	})
	if result == killed {
		c.kills[""]++
	}
}

// sourceTree returns the directories whose words are counted: a few MB unless the environment asks for all.
func sourceTree(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("the Go source tree is not here: %v", err)
	}
	if os.Getenv("PENSTOCK_WORDCOUNT") == "all" {
		return []string{root}
	}
	return []string{filepath.Join(root, "net"), filepath.Join(root, "runtime")}
}

// coreutils counts the words of all .go files. A file's last line ends with the file, newline or not.
func coreutils(t *testing.T, roots []string) (counts []byte, size, words int64) {
	t.Helper()
	for _, tool := range []string{"tr", "sort", "uniq", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	pipe := exec.Command("sh", "-c", `tr -s '[:space:]' '\n' | sed '/^$/d' | sort | uniq -c | sed 's/^ *//'`)
	pipe.Env = append(os.Environ(), "LC_ALL=C")
	stdin, err := pipe.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	pipe.Stdout = &out
	if err := pipe.Start(); err != nil {
		t.Fatal(err)
	}
	size, err = copySources(stdin, roots)
	if err := errors.Join(err, stdin.Close(), pipe.Wait()); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(out.Bytes()) {
		var n int64
		if _, err := fmt.Sscan(string(line), &n); err != nil {
			t.Fatal(err)
		}
		words += n
	}
	return out.Bytes(), size, words
}

func copySources(to io.Writer, roots []string) (size int64, err error) {
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || filepath.Ext(path) != ".go" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			size += int64(len(data))
			_, err = to.Write(append(data, '\n'))
			return err
		})
		if err != nil {
			return size, err
		}
	}
	return size, nil
}
