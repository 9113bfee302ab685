package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// inDataDirectories are the packages that open files of a data directory.
var inDataDirectories = []string{
	"checkpoint", "checkpoint/internal/disk", "checkpoint/internal/entry", "checkpoint/internal/journal", "checkpoint/internal/mend",
	"engine/broker", "engine/doctor", "engine/inspect", "engine/internal/blocks", "engine/internal/datadir", "engine/internal/durability",
	"engine/internal/history", "engine/internal/inflight", "engine/internal/task",
}

// opens finds a call that follows a link or waits for a pipe. To make a new file does neither.
var opens = regexp.MustCompile(`os\.(Open|OpenFile|ReadFile|WriteFile|Create)\(|flock\.New\(`)

// One rule says how a file of a data directory is opened: package nofollow has it.
func TestFilesOfADataDirectoryAreOpenedByTheRule(t *testing.T) {
	t.Parallel()
	for _, dir := range inDataDirectories {
		sources, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
		if err != nil || len(sources) == 0 {
			t.Fatalf("%s: %d sources, %v", dir, len(sources), err)
		}
		for _, path := range sources {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(data)) {
				if opens.MatchString(line) && !strings.Contains(line, "os.O_EXCL") && !strings.Contains(line, "nofollow.Flag") && !strings.Contains(line, `"/proc/`) {
					t.Errorf("%s opens a file by itself: let package nofollow do it: %s", path, strings.TrimSpace(line))
				}
			}
		}
	}
}
