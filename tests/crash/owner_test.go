//go:build unix

package crash

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"penstock/tests/crash/ledger"
)

// An owner that is stopped while another takes its place must not go on as if nothing had happened.
func TestStoppedOwnerIsFenced(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]machine{"new directory": freshDirectory, "copy of the directory": copiedDirectory} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := takeOver(newCampaign(t, workload{}), other); err != nil {
				t.Error(err)
			}
		})
	}
}

// machine is where the second owner runs.
type machine struct {
	checkpoint string // interval of both
	prepare    func(first, second site) error
}

var (
	// freshDirectory has only the channels, of which the first owner must not have trimmed anything.
	freshDirectory = machine{"1h", func(site, site) error { return nil }}
	// copiedDirectory has also what the first owner had on its disk.
	copiedDirectory = machine{"20ms", func(first, second site) error {
		return os.CopyFS(second.data(), os.DirFS(first.data()))
	}}
)

// ownerWorkload is a ledger without a file, which two owners cannot share. It takes a while.
func ownerWorkload(checkpoint string) workload {
	config := ledger.Config{Bytes: 64 << 20, Slow: 500 * time.Microsecond}.WithDefaults()
	w := workload{name: ledger.Name}
	w.args = func(s site) []string { return append(ledgerArgs(s, config), "-output=", "-checkpoint", checkpoint) }
	w.check = func(t *testing.T, s site) error {
		var result ledger.Result
		if err := s.readLedger(t.Context(), &result); err != nil {
			return err
		}
		return ledger.Check(config, result)
	}
	return w
}

// takeOver stops an owner, lets another get some way, lets the first go on, and looks at what both make of it: the first
// must end and say why, the second must complete, and the result must be right.
func takeOver(c *campaign, other machine) error {
	c.Helper()
	server := startServer(c.T)
	first, second := site{c.TempDir(), server.url}, site{c.TempDir(), server.url}
	c.workload = ownerWorkload(other.checkpoint)

	c.site = first
	reached, watch := afterProgress(60)
	old := c.begin(watch)
	old.await(c.T, "some progress of the first owner", reached)
	old.Signal(syscall.SIGSTOP)
	if err := other.prepare(first, second); err != nil {
		c.Fatal(err)
	}

	c.site = second
	reached, watch = afterProgress(30)
	young := c.begin(watch)
	young.await(c.T, "some progress of the second owner", reached)
	old.Signal(syscall.SIGCONT)

	var wrong []error
	if result := old.wait(c.T); result != failed || !strings.Contains(old.reason(), "taken over by another process") {
		wrong = append(wrong, fmt.Errorf("the first owner did not end as it should: %v", old.reason()))
	}
	if err := checkOwners(c.Context(), second); err != nil { // now: a run that has ended trims
		wrong = append(wrong, err)
	}
	if result := young.wait(c.T); result != completed {
		return errors.Join(append(wrong, fmt.Errorf("the second owner failed: %s", young.reason()))...)
	}
	return errors.Join(append(wrong, c.workload.check(c.T, c.site))...)
}

// afterProgress returns a channel that is closed after so many lines of progress.
func afterProgress(lines int) (<-chan struct{}, func(*victim, string)) {
	reached := make(chan struct{})
	seen := 0
	return reached, func(_ *victim, line string) {
		if isProgress(line) {
			if seen++; seen == lines {
				close(reached)
			}
		}
	}
}

func isProgress(line string) bool { return strings.HasPrefix(line, "progress ") }
