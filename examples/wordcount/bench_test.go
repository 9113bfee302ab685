package wordcount_test

import (
	"io/fs"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/examples/wordcount"
)

// BenchmarkGoTree counts the words of Go's own sources, with every commit
// synced to disk.
func BenchmarkGoTree(b *testing.B) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Skip(err)
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src")
	size := treeSize(b, root, ".go")
	for b.Loop() {
		dir := b.TempDir()
		p, err := wordcount.New(wordcount.Config{Files: []string{root}, Extensions: []string{".go"}, Output: filepath.Join(dir, "out")})
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Run(b.Context(), engine.Config{Dir: filepath.Join(dir, "data"), Logger: slog.New(slog.DiscardHandler)}); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(size)
		for _, s := range p.Status().Stages {
			if s.Name == "count" {
				b.ReportMetric(float64(s.In)/p.Status().Elapsed.Seconds(), "words/s")
			}
		}
	}
}

func treeSize(b *testing.B, root, extension string) (size int64) {
	b.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !strings.HasSuffix(path, extension) {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		b.Skip(err)
	}
	return size
}
