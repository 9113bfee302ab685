package main

import (
	"os/exec"
	"testing"
)

// The code changes; what is taken away from it must still be there, and the rest must still compile.
func TestMutationsFitTheCode(t *testing.T) {
	t.Parallel()
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	flag, err := overlay(&builder{root: root, dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "vet", flag, "./engine")
	cmd.Dir = root // with the flags of this run: it shares what was compiled
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
