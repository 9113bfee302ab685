package socket

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"penstock/dlq"
)

// silentConn answers nothing, and knows no time but its deadline.
type silentConn struct {
	net.Conn
	deadline time.Time
}

func (s *silentConn) SetReadDeadline(t time.Time) error { s.deadline = t; return nil }

func (s *silentConn) Read([]byte) (int, error) {
	if s.deadline.IsZero() {
		return 0, io.EOF
	}
	return 0, os.ErrDeadlineExceeded
}

func TestASilentAnswerEnds(t *testing.T) {
	t.Parallel()
	_, err := (&patientConn{&silentConn{}, newPatience("s", time.Minute, nil)}).Read(nil)
	if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "silent for 1m0s") {
		t.Error(err)
	}
	unbounded := newPatience("s", time.Minute, nil)
	unbounded.end()
	if _, err := (&patientConn{&silentConn{}, unbounded}).Read(nil); !errors.Is(err, io.EOF) {
		t.Errorf("who may be silent: %v", err)
	}
}

// A user is soon told what is waited for, and the wait ends.
func TestASilentAnswerIsToldOf(t *testing.T) {
	t.Parallel()
	told := 0
	conn := &patientConn{&silentConn{}, newPatience("s", controlSilence, func() { told++ })}
	for range 2 {
		if _, err := conn.Read(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if told != 1 || controlSilence > 30*time.Second {
		t.Errorf("told %d times; it may be silent for %v", told, controlSilence)
	}
}

// Progress earns patience, up to the bound and not above.
func TestWhatComesEarnsPatience(t *testing.T) {
	t.Parallel()
	p := newPatience("s", 10*time.Second, nil)
	for range 100 {
		if !p.took(slowest, time.Second) {
			t.Fatal("a long answer ended")
		}
	}
	if p.took(slowest, 12*time.Second) {
		t.Error("the patience grew above its bound")
	}
	p.renew()
	if !p.took(1, 9*time.Second) || p.took(1, 2*time.Second) {
		t.Error("a drop is taken for progress, or a renewal for none")
	}
}

// served answers every request on a control socket with fn, which ends with the client.
func served(t *testing.T, fn func(ctx context.Context, conn net.Conn)) Client {
	t.Helper()
	dir := t.TempDir()
	listener, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil { // an answer before it is none
				fn(t.Context(), conn)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return Client{Dir: dir, Log: slog.New(slog.DiscardHandler), silence: 200 * time.Millisecond}
}

const goodHead = "HTTP/1.1 200 OK\r\n" + PipelineHeader + ": p\r\n"

// Each byte comes long before the client would call it silence, and the answer never ends.
func TestAnAnswerThatDripsEnds(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]string{
		"head": "HTTP/1.1 200 OK\r\nX-Drip: ",
		"body": goodHead + "\r\n{\"stages\": \"",
	} {
		client := served(t, func(ctx context.Context, conn net.Conn) {
			for piece := start; ; piece = "x" {
				if _, err := io.WriteString(conn, piece); err != nil {
					return
				}
				select {
				case <-time.After(10 * time.Millisecond):
				case <-ctx.Done():
					return
				}
			}
		})
		for verb, ask := range map[string]func() error{
			"state": func() error {
				answer, err := client.State(t.Context(), "worker", nil)
				if err == nil {
					err = errors.Join(answer.CopyTo(io.Discard), answer.Close())
				}
				return err
			},
			"events": func() error {
				answer, err := client.Events(t.Context(), "")
				if err == nil {
					_, err = ReadEvents(answer.Body)
					err = errors.Join(err, answer.Close())
				}
				return err
			},
			"doctor":   func() error { _, err := client.Examination(t.Context()); return err },
			"dlq list": func() error { _, err := Reach(t.Context(), client); return err },
		} {
			done := make(chan error, 1)
			go func() { done <- ask() }()
			select {
			case err := <-done:
				if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), filepath.Join(client.Dir, Name)) || !strings.Contains(err.Error(), "too slow") {
					t.Errorf("%s, %s drips: %v", verb, name, err)
				}
			case <-time.After(time.Minute):
				t.Fatalf("%s, %s drips: it does not end", verb, name)
			}
		}
	}
}

// A watch waits for letters as long as it takes, and not for the head of its answer.
func TestAWatchWaitsForLettersOnly(t *testing.T) {
	t.Parallel()
	client := served(t, func(ctx context.Context, conn net.Conn) {
		select {
		case <-time.After(time.Hour):
		case <-ctx.Done():
		}
	})
	l := &Letters{client: client}
	err := l.Watch(t.Context(), dlq.Filter{}, true, func() { t.Error("it began") }, func(dlq.Letter) error { return nil })
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

// What is no pipeline is called that.
func TestAnAnswerOfNoPipelineIsNamed(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n": `its answer is "302 Found"`,
		"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n":                                 `its answer is "500 Oops"`,
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":                                   "it names none",
	} {
		client := served(t, func(_ context.Context, conn net.Conn) {
			_, _ = io.WriteString(conn, answer)
		})
		client.silence = 0
		_, err := client.State(t.Context(), "worker", nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Join(client.Dir, Name)) {
			t.Errorf("%q: %v", answer, err)
		}
	}
}
