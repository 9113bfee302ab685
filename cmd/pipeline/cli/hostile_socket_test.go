package cli

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gofrs/flock"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/socket"
)

// serveHostile serves the control socket of a directory that it keeps locked.
func serveHostile(t *testing.T, handler http.HandlerFunc) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "checkpoints"), 0o700); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if locked, err := lock.TryLock(); err != nil || !locked {
		t.Fatal(locked, err)
	}
	listener, err := socket.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
		_ = lock.Close()
	})
	return dir
}

// endless writes the same again and again, until nobody reads it any more.
func endless(w http.ResponseWriter, begin, piece string) {
	_, err := io.WriteString(w, begin)
	for piece = strings.Repeat(piece, 1<<20/len(piece)); err == nil; {
		_, err = io.WriteString(w, piece)
	}
}

func TestAnEndlessAnswerIsRefused(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	for name, flood := range map[string]func(http.ResponseWriter){
		"one value": func(w http.ResponseWriter) { endless(w, `{"text":"`, "0123456789abcdef") },
		"many":      func(w http.ResponseWriter) { endless(w, `{"pipeline":"p","findings":[`, `{"part":"x"},`) },
		"nothing":   func(w http.ResponseWriter) { endless(w, "", " ") },
	} {
		if testing.Short() && name != "one value" {
			continue // the same flood, and 64 MiB take the race detector long
		}
		dir := serveHostile(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(socket.PipelineHeader, "p")
			if r.URL.Path == "/v1/status" && name == "one value" {
				_, _ = io.WriteString(w, "{}") // the letters come after it
				return
			}
			flood(w)
		})
		for _, args := range [][]string{{"dlq", "list"}, {"doctor"}, {"events"}} {
			if testing.Short() && args[0] != "events" {
				continue // a decoder of 64 MiB, in one goroutine
			}
			r := c.run(append(args, "--dir", dir)...)
			if r.code == app.ExitOK || !strings.Contains(r.err, "is too long") && !strings.Contains(r.err, "was cut off") {
				t.Errorf("%s, %v: exit %d\n%.300s\n%.300s", name, args, r.code, r.stdout, r.err)
			}
		}
	}
}

func TestAHostileAnswerCannotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	const evil = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m\xff"
	for _, status := range []int{http.StatusOK, http.StatusInternalServerError} {
		dir := serveHostile(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(socket.PipelineHeader, "p\x9b31m")
			w.WriteHeader(status)
			switch r.URL.Path {
			case "/v1/examination":
				fmt.Fprintf(w, `{"pipeline":"\u001b[2J","dir":"\u001b[2J","checked":["\u001b[2J"],"findings":[{"wrong":true,"part":"\u001b[2J","text":"\u009b"}],"steps":["\u001b[2J"]}`)
			case "/v1/status":
				fmt.Fprintf(w, `{"stages":[{"name":"\u001b[2J"}]}`)
			default:
				fmt.Fprintf(w, "{\"state\":\"%s\"}\n%s", evil, evil)
			}
		})
		for _, args := range [][]string{{"state", "worker"}, {"doctor"}, {"doctor", "--json"}, {"events"}, {"dlq", "list"}, {"dlq", "list", "--stage=x"}, {"dlq", "export"}} {
			r := c.run(append(args, "--dir", dir)...)
			for _, raw := range []string{"\x1b", "\x07", "\u202e", "\u009b", "\xff"} {
				if strings.Contains(r.stdout+r.err, raw) {
					t.Errorf("status %d, %v shows %q: %q %q", status, args, raw, r.stdout, r.err)
				}
			}
		}
	}
}

// The verbs tell what they wait for, and end, with the name of the process that has the directory.
func TestVerbsTellOfASilentAnswer(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	release := make(chan struct{})
	dir := serveHostile(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	var asking sync.WaitGroup
	defer asking.Wait()
	for _, args := range [][]string{{"doctor"}, {"events"}, {"dlq", "list"}, {"dlq", "watch"}} {
		asking.Go(func() {
			r := c.run(append(args, "--dir", dir)...)
			if r.code == app.ExitOK || !strings.Contains(r.err, "waiting for the process that runs the pipeline to answer") {
				t.Errorf("%v: exit %d\n%s", args, r.code, r.err)
			}
			if args[0] == "dlq" && (r.code != app.ExitBlind || !strings.Contains(r.err, "kill -CONT")) {
				t.Errorf("%v: exit %d, and it does not say who has the directory\n%s", args, r.code, r.err)
			}
		})
	}
}
