//go:build unix

package partitions

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/engine"
	"penstock/engine/faultpoint"
	"penstock/internal/testing/child"
	"penstock/internal/testing/natsserver"
	"penstock/internal/testing/patient"
)

const (
	childDir   = "PARTITIONS_DIR"
	childTally = "PARTITIONS_TALLY"
	childSink  = "PARTITIONS_SINK"
	childURL   = "PARTITIONS_URL" // of a server outside
)

// killShop has attempts to spare: a message that was in hand at two deaths is blamed for them.
func killShop() shop { return shop{orders: 3000, keys: 61, poison: true, mark: 2, attempts: 4} }

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	s := killShop()
	if _, err := fmt.Sscan(os.Getenv(childTally)+" "+os.Getenv(childSink), &s.tally, &s.sink); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	config := patient.Config(dir)
	config.NATS.URL = os.Getenv(childURL)
	if err := s.pipeline(func() {}).Run(context.Background(), config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// die runs the pipeline in a process that is killed at a fault point.
func die(t *testing.T, dir, point string, tally, sink int, env ...string) {
	t.Helper()
	cmd, err := child.Self()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(append(os.Environ(), env...), childDir+"="+dir, fmt.Sprintf("%s=%d", childTally, tally), fmt.Sprintf("%s=%d", childSink, sink), faultpoint.Variable+"="+point)
	c, err := child.Start(cmd, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Ends(2 * time.Minute) {
		c.Kill()
		t.Fatalf("it does not end: %s", c.Stderr)
	}
	var exit *exec.ExitError
	if err := c.Err(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("it was not killed at %s: %v: %s", point, err, c.Stderr)
	}
}

// A process that is killed at any step of a change leaves a directory that goes on in either number, whether it died
// once or twice.
func TestKilledAtEachStepOfAChange(t *testing.T) {
	t.Parallel()
	base := map[int]string{}
	for _, tally := range []int{1, 4} {
		base[tally] = filepath.Join(t.TempDir(), "base")
		config := patient.Config(base[tally])
		config.DrainTimeout = time.Nanosecond
		s := killShop()
		s.tally, s.sink, s.stopAt = tally, 1, 900
		s.mustRun(t, config)
	}
	points := []string{
		"after-publish@tally", "before-checkpoint", "after-checkpoint:2", // first everything is handled
		faultpoint.MoveNoted, faultpoint.MidMove + "@tally", faultpoint.MidMove + "@tally:3", faultpoint.MidMove + "@sink:2", faultpoint.MoveCopied,
		faultpoint.MidRetire + "@tally", faultpoint.MidRetire + "@sink", faultpoint.MoveDecided,
		faultpoint.MidTidy, faultpoint.MidTidy + "@sink", "after-claim@tally", "after-fence@tally:2", "after-fence@sink:2",
	}
	for from, to := range map[int]int{1: 4, 4: 3} {
		for k, point := range points {
			if testing.Short() && k%4 != from%4 {
				continue
			}
			for _, then := range []struct {
				deaths, tally int
				name          string
			}{{2, from, "goes back"}, {2, to, "died again, and goes on"}} {
				t.Run(fmt.Sprintf("%d to %d, %s, %s", from, to, point, then.name), func(t *testing.T) {
					t.Parallel()
					dir := filepath.Join(t.TempDir(), "copy")
					if err := os.CopyFS(dir, os.DirFS(base[from])); err != nil {
						t.Fatal(err)
					}
					for n := range then.deaths {
						if n == 0 || !isAfterDecision(point) { // else the second start has no such step
							die(t, dir, point, to, 2)
						}
					}
					config := patient.Config(dir)
					sound(t, config)
					s := killShop()
					s.tally, s.sink = then.tally, 2
					s.mustComplete(t, config)
					s.check(t, config)
				})
			}
		}
	}
}

// The states that were moved are in the checkpoints alone: a directory without them must not go on with none.
func TestADirectoryThatIsLostAfterAChange(t *testing.T) {
	t.Parallel()
	server := natsserver.Start(t, func(o *server.Options) { o.SyncAlways = true })
	config := patient.Config(t.TempDir())
	config.NATS.URL = server.ClientURL()
	s := killShop()
	s.tally, s.sink, s.stopAt = 1, 1, 900
	s.mustRun(t, config)
	die(t, config.Dir, "after-fence@tally:2", 4, 2, childURL+"="+config.NATS.URL) // nothing is trimmed yet

	lost := config
	lost.Dir = t.TempDir()
	s.tally, s.sink, s.stopAt = 4, 2, 0
	if _, err := s.run(t, lost); !errors.Is(err, engine.ErrRefused) {
		t.Errorf("a new directory: %v", err)
	}
	s.mustComplete(t, config)
	s.check(t, config)
}

func isAfterDecision(point string) bool {
	for _, p := range []string{faultpoint.MoveDecided, faultpoint.MidTidy, faultpoint.MidTidy + "@sink", "after-fence@tally:2", "after-fence@sink:2", "after-claim@tally"} {
		if p == point {
			return true
		}
	}
	return false
}
