//go:build unix

package cli

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/cmd/pipeline/internal/guard"
	"penstock/cmd/pipeline/internal/runcmd"
	"penstock/engine/supervise"
)

// delays are those before the child processes that followed a death.
func delays(log string) (all []string) {
	for _, found := range regexp.MustCompile(` delay=(\S+)`).FindAllStringSubmatch(log, -1) {
		all = append(all, found[1])
	}
	return all
}

// A child process that begins where the one before began makes the delay grow, and one that is further on resets it.
func TestProgressResetsTheDelay(t *testing.T) {
	t.Parallel()
	g, _, out, _ := newGuard(t)
	g.Backoff = supervise.Exponential(time.Millisecond, time.Second, 2, 0)
	handled := []int{7, 7, 7, 8, 9, 9} // 7 when the guard began
	starts := 0
	g.Command = func() (*exec.Cmd, error) {
		last := "kill -9 $$"
		if starts == len(handled)-1 {
			last = "printf 'exit 0\n' >&3"
		}
		said := fmt.Sprintf(`printf 'handled %d\nready\n' >&3; `, handled[starts])
		starts++
		return exec.Command("sh", "-c", said+last), nil
	}
	if err := runcmd.EndOfGuard(guard.Serve(g)); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if got, want := delays(out.String()), []string{"1ms", "2ms", "4ms", "1ms", "1ms"}; !slices.Equal(got, want) {
		t.Errorf("the delays are %v, want %v\n%s", got, want, out)
	}
}

// Child processes that die again and again, each after some commits, are not waited for longer and longer.
func TestChildrenThatGetFurtherAreStartedAtOnce(t *testing.T) {
	t.Parallel()
	g, _, out, stdin := newGuard(t, "--no-faults", "--rate=2ms", "--beats=100000", "--dir", filepath.Join(t.TempDir(), "data"))
	g.Backoff = supervise.Exponential(time.Millisecond, time.Second, 1000, 0)
	g.Limit.Restarts = 4
	ended := make(chan error, 1)
	go func() { ended <- runcmd.EndOfGuard(guard.Serve(g)) }()
	for i := range 5 {
		shown := strings.Count(out.String(), working)
		out.AwaitCount(t, working, shown+3) // the newest may not be committed yet
		if _, err := stdin.WriteString("exit\n"); err != nil {
			t.Fatal(err)
		}
		if i < 4 {
			out.AwaitCount(t, "starting it again", i+1)
		}
	}
	<-ended
	if got := delays(out.String()); !slices.Equal(got, []string{"1ms", "1ms", "1ms", "1ms"}) {
		t.Errorf("the delays are %v\n%s", got, out)
	}
}
