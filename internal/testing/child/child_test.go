package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"penstock/internal/testing/leak"
)

const asChild = "PENSTOCK_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		fmt.Println("ready")
		fmt.Fprintln(os.Stderr, "warning")
		if _, err := os.Stdin.Read(make([]byte, 1)); err == nil {
			fmt.Print("told\nhalf a line")
			os.Exit(3)
		}
		os.Exit(0) // the parent is gone
	}
	leak.Main(m)
}

func start(t *testing.T, hear func(*Child, string)) *Child {
	t.Helper()
	cmd, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), asChild+"=1")
	return StartFor(t, cmd, hear)
}

func TestAChildIsHeardAndEnds(t *testing.T) {
	t.Parallel()
	var heard []string
	c := start(t, func(c *Child, line string) {
		heard = append(heard, line)
		if line == "ready" {
			fmt.Fprintln(c.Stdin, "go on")
		}
	})
	c.Stderr.Await(t, "warning")
	if code := c.Code(t); code != 3 || c.IsAlive() {
		t.Errorf("exit %d", code)
	}
	if fmt.Sprint(heard) != "[ready told]" || c.Said() != 2 || c.Story() != "ready\ntold\nwarning\n" {
		t.Errorf("heard %q, %q", heard, c.Story())
	}
}

func TestAChildIsKilled(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	if !c.Until(patience, func() bool { return c.Said() > 0 }) || !c.IsAlive() {
		t.Fatalf("it is not ready: %s", c.Story())
	}
	c.Kill()
	var exit *exec.ExitError
	if !c.Ends(patience) || c.Code(t) != -1 || !errors.As(c.Err(), &exit) {
		t.Errorf("it ended with %v", c.Err())
	}
	if c.Until(patience, func() bool { return false }) {
		t.Error("what is not so is so")
	}
}

func TestAChildEndsWithItsInput(t *testing.T) {
	t.Parallel()
	c := start(t, nil)
	if err := c.Stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if code := c.Code(t); code != 0 {
		t.Errorf("exit %d", code)
	}
}
