package broker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"penstock/internal/testing/child"
	"penstock/internal/testing/natsserver"
)

// serverDir makes a process of this test a NATS server with this directory, which
// ends with its standard input.
const serverDir = "PENSTOCK_TEST_SERVER_DIR"

func serverMain(dir string) {
	s, err := natsserver.Run(natsserver.Options(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.ClientURL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	natsserver.Stop(s)
	os.Exit(0)
}

// A server that is stopped keeps its connections, and does not answer.
func TestAServerProcessThatIsStoppedIsNoticedAndComesBack(t *testing.T) {
	t.Parallel()
	cmd, err := child.Self()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), serverDir+"="+t.TempDir())
	urls := make(chan string, 1)
	process := child.StartFor(t, cmd, func(_ *child.Child, line string) {
		if strings.HasPrefix(line, "nats://") {
			urls <- line
		}
	})
	var url string
	select {
	case url = <-urls:
	case <-process.Done():
		t.Fatal(process.Story())
	}
	b := open(t, Config{URL: url})
	roundTrip(t, b)
	until := func(want bool, what string) {
		t.Helper()
		limit := time.Now().Add(time.Minute) // nothing depends on how soon it comes
		for is := !want; is != want; time.Sleep(10 * time.Millisecond) {
			if _, is = b.Unanswered(); time.Now().After(limit) {
				t.Fatalf("it is not noticed that the server %s", what)
			}
		}
	}
	stopped := time.Now()
	process.Signal(syscall.SIGSTOP)
	until(true, "was stopped")
	t.Logf("noticed after %v", time.Since(stopped))
	process.Signal(syscall.SIGCONT)
	until(false, "goes on")
	roundTrip(t, b)
	b.Close()
}

func TestAServerThatDoesNotAnswerIsNoticedAfterThreeTicks(t *testing.T) {
	t.Parallel()
	at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
	w := pulseWatch{pulse: new(pulse)}
	if !w.tick(at(0), true, 0) {
		t.Fatal("it does not ask")
	}
	w.answer(nil)
	w.tick(at(1), true, 0)
	for s := 2; s < 4; s++ {
		if w.tick(at(s), true, 0) {
			t.Errorf("it asks a second time at %d s", s)
		}
		if w.since.Load() != nil {
			t.Errorf("noticed after %d s", s-1)
		}
	}
	w.tick(at(4), true, 0)
	if since := w.since.Load(); since == nil || !since.Equal(at(1)) {
		t.Fatalf("unanswered since %v, want the first question", since)
	}
	w.answer(errors.New("the connection was lost"))
	w.tick(at(5), false, 0)
	if !w.tick(at(6), true, 0) || w.since.Load() == nil {
		t.Error("a connection without an answer is taken for one")
	}
	w.answer(nil)
	if w.since.Load() != nil {
		t.Error("it is unanswered after the answer")
	}
}

// A large transfer may hold the answer up; and a process that was stopped itself
// finds one miss, however long that was.
func TestWhatAServerSendsIsAnAnswer(t *testing.T) {
	t.Parallel()
	w := pulseWatch{pulse: new(pulse)}
	now := time.Unix(0, 0)
	for heard := range uint64(20) {
		now = now.Add(time.Minute)
		w.tick(now, true, heard/2)
	}
	if w.since.Load() != nil {
		t.Error("it is unanswered, and sends")
	}
}

// The embedded server hangs only with the process, and is not asked.
func TestTheEmbeddedServerIsNotAsked(t *testing.T) {
	t.Parallel()
	b := open(t, Config{Dir: t.TempDir()})
	if _, is := b.Unanswered(); is || b.pulse.stop != nil {
		t.Error("the embedded server is asked")
	}
}
