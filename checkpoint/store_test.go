package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"penstock/checkpoint/internal/disk"
)

func TestOpenNeedsADirectory(t *testing.T) {
	t.Parallel()
	if _, err := Open(Config{}); err == nil || !strings.Contains(err.Error(), "Config.Dir") {
		t.Fatalf("Open without a directory: %v", err)
	}
}

func TestOpenMakesTheDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir)
	if names, err := s.Instances(); err != nil || len(names) != 0 {
		t.Fatalf("instances of an empty store: %v, %v", names, err)
	}
}

func TestSecondOpenIsRefusedByName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	_, err := Open(Config{Dir: dir})
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("second open: %v", err)
	}
	for _, want := range []string{dir, "process " + strconv.Itoa(os.Getpid()), "stop the pipeline"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	write(t, Update{Instance: s.Instance("a.0"), Checkpoint: Checkpoint{Commit: 1}})
	closeStore(t, s)
	if _, found, err := open(t, dir).Instance("a.0").Load(); !found || err != nil {
		t.Fatalf("after the first let go: found=%v, %v", found, err)
	}
}

func TestOpenNamesTroubleThatIsNotDamage(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Config{Dir: filepath.Join(file, "state")})
	if err == nil || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrInUse) {
		t.Fatalf("a file where the directory belongs: %v", err)
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	closeStore(t, s)
	closeStore(t, s)
	_, _, load := i.Load()
	_, _, key := i.Key("k")
	_, _, note := s.Note("n")
	_, names := s.Instances()
	for what, err := range map[string]error{
		"Load": load, "Key": key, "Note": note, "Instances": names,
		"Keys":    i.Keys("", func(string, []byte) error { return nil }),
		"PutNote": s.PutNote("n", nil),
		"Write":   s.Write([]Update{{Instance: i}}),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}

func TestCloseWaitsForRunningCalls(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	i := s.Instance("a.0")
	write(t, Update{Instance: i, Keys: map[string][]byte{"a": {1}, "b": {2}}})
	inside, resume, closed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	walked := make(chan error, 1)
	var keys []string
	go func() {
		walked <- i.Keys("", func(key string, _ []byte) error {
			if key == "a" {
				close(inside)
				<-resume
			}
			keys = append(keys, key)
			return nil
		})
	}()
	<-inside
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("Close returned while Keys was running: %v", err)
	default:
	}
	close(resume)
	if err := errors.Join(<-walked, <-closed); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(keys, []string{"a", "b"}) {
		t.Fatalf("the walk saw %q", keys)
	}
}

func TestSizeGrowsWithTheState(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	empty := s.Size()
	if empty > disk.LogSpace+4<<20 {
		t.Errorf("an empty store takes %d bytes", empty)
	}
	write(t, Update{Instance: s.Instance("a.0"), Keys: map[string][]byte{"k": make([]byte, 40<<20)}})
	if s.Size() < 40<<20 {
		t.Errorf("40 MiB of state take %d bytes", s.Size())
	}
}
