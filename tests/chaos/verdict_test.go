package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A refusal with other words would be taken for one that does not say what to do.
func TestRemediesAreInTheSources(t *testing.T) {
	t.Parallel()
	missing := map[string]bool{}
	for _, remedy := range remedies {
		missing[remedy] = true
	}
	for _, root := range []string{"../../engine", "../../checkpoint", "../../cmd", "../../dlq"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for remedy := range missing {
				if strings.Contains(string(source), remedy) {
					delete(missing, remedy)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for remedy := range missing {
		t.Errorf("no source says %q", remedy)
	}
}
