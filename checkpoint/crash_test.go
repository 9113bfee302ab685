package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"penstock/checkpoint/internal/journal"
	"penstock/internal/testing/child"
)

const (
	crashDirEnv  = "PENSTOCK_TEST_CRASH_DIR"
	crashJournal = "PENSTOCK_TEST_CRASH_JOURNAL" // the keys go into a journal
	crashKeys    = 100
	crashKeySize = 1000
)

// crashState is what commit n writes: every key's value begins with n. One key is large,
// another one each time, so that pieces, rotated logs and compactions are killed too.
func crashState(n uint64) map[string][]byte {
	state := make(map[string][]byte, crashKeys)
	for k := range crashKeys {
		size := crashKeySize
		if k == int(n%crashKeys) {
			size = 3 * pieceSize
		}
		state[fmt.Sprint(k)] = binary.BigEndian.AppendUint64(make([]byte, 0, size), n)[:size]
	}
	return state
}

// writeUntilKilled writes commit after commit and prints each that is done.
func writeUntilKilled(dir string) {
	s, err := Open(Config{Dir: dir})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	i := s.Instance("a.0")
	c, _, err := i.Load()
	for n := c.Commit + 1; err == nil; n++ {
		if os.Getenv(crashJournal) != "" {
			s.bounds = journal.Bounds{Keys: 1, Memory: 1 << 20, Least: 200 << 10}
			if n%7 == 0 {
				s.bounds.Memory = 1
			}
		}
		record := make([]byte, 100)
		if n%8 == 0 {
			record = make([]byte, 2*pieceSize)
		}
		err = s.Write([]Update{{Instance: i, Checkpoint: Checkpoint{Commit: n, Record: record}, Keys: crashState(n)}})
		if err == nil {
			err = i.PutNote("done", strconv.AppendUint(nil, n, 10))
		}
		if err == nil {
			fmt.Println(n)
		}
	}
	fmt.Println("write:", err)
	os.Exit(1)
}

func TestKillInTheMiddleOfWrite(t *testing.T) { killInTheMiddle(t) }

func TestKillInTheMiddleOfWritingAJournal(t *testing.T) { killInTheMiddle(t, crashJournal+"=1") }

func killInTheMiddle(t *testing.T, env ...string) {
	if testing.Short() {
		t.Skip("kills 30 processes")
	}
	t.Parallel()
	dir := t.TempDir()
	var said, last uint64
	for round := range 30 {
		said = max(said, killOnce(t, dir, env))
		last = checkCrashed(t, dir, said, last, round)
	}
	t.Logf("30 kills over %d commits", last)
}

// killOnce runs a writer, kills it at a random moment and gives the last commit it had
// said to be done.
func killOnce(t *testing.T, dir string, env []string) (done uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(append(os.Environ(), crashDirEnv+"="+dir), env...)
	cmd.Stderr = os.Stderr
	// The moment is random within what a Write takes; nothing waits for it.
	killSoon := func(c *child.Child) { time.AfterFunc(time.Duration(rand.Int64N(int64(15*time.Millisecond))), c.Kill) }
	after := rand.IntN(30) // lines; 0: also while it opens
	c := child.StartFor(t, cmd, func(c *child.Child, line string) {
		n, err := strconv.ParseUint(line, 10, 64)
		if err != nil {
			t.Errorf("the writer says: %s", line)
		}
		if done = n; c.Said() == after {
			killSoon(c)
		}
	})
	if after == 0 {
		killSoon(c)
	}
	c.MustEnd(t)
	return done
}

// checkCrashed opens what the kill left and gives the commit it is at. Commit and note of
// what was said are done; of what was there the last time the commit is.
func checkCrashed(t *testing.T, dir string, said, last uint64, round int) uint64 {
	t.Helper()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	defer closeStore(t, s)
	i := s.Instance("a.0")
	c, found, err := i.Load()
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	if done := max(said, last); c.Commit < done {
		t.Fatalf("round %d: commit %d was done, %d came back", round, done, c.Commit)
	}
	keys := 0
	err = i.Keys("", func(key string, value []byte) error {
		keys++
		n := binary.BigEndian.Uint64(value)
		if n < c.Commit || n > c.Commit+1 {
			return fmt.Errorf("key %s is at commit %d, the checkpoint at %d", key, n, c.Commit)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	if found && keys != crashKeys {
		t.Fatalf("round %d: %d keys", round, keys)
	}
	note, _, err := i.Note("done")
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	if n, _ := strconv.ParseUint(string(note), 10, 64); n < said {
		t.Fatalf("round %d: note %d was done, %q came back", round, said, note)
	}
	if generations, _ := pieces(t, s); generations != len(s.large) {
		t.Fatalf("round %d: %d generations for %d large values", round, generations, len(s.large))
	}
	return c.Commit
}
