package engine_test

import (
	"bufio"
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/internal/testing/natsserver"
	"penstock/tests/loopback"
)

// A context that ends while the start waits for something ends the run like any other: Run returns nil.
func TestEndBeforeTheStartIsOver(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T, cancel func()) string{
		"no server": func(t *testing.T, cancel func()) string {
			cancel()
			return "nats://127.0.0.1:" + strconv.Itoa(loopback.ForTest(t))
		},
		"a mute server": func(t *testing.T, cancel func()) string {
			return listening(t, cancel, "")
		},
		"a server that stops answering": func(t *testing.T, cancel func()) string {
			return listening(t, cancel, "$JS.API.INFO")
		},
		"a stream that is not made": func(t *testing.T, cancel func()) string {
			return listening(t, cancel, "$JS.API.STREAM.CREATE.early+numbers")
		},
		"a last frame that is not read": func(t *testing.T, cancel func()) string {
			return listening(t, cancel, "$JS.API.STREAM.MSG.GET.early+numbers")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := engine.New("early")
			numbers := engine.Source(p, "numbers", count(10, 1))
			engine.Sink(p, "sink", numbers, func(context.Context, *struct{}, engine.Message[uint64]) error { return nil })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			config := testConfig(t, t.TempDir())
			config.NATS.URL = start(t, cancel)
			if err := p.Run(ctx, config); err != nil || p.Status().Completed {
				t.Errorf("error %v, %+v", err, p.Status())
			}
		})
	}
}

// listening is in front of a server: it passes on what a client says up to a line with the subject, and ends the test's
// context then. "": nothing is passed on.
func listening(t *testing.T, cancel func(), subject string) (url string) {
	t.Helper()
	s := natsserver.Start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { client.Close() })
			go passOn(client, s.Addr().String(), subject, cancel)
		}
	}()
	return "nats://" + l.Addr().String()
}

func passOn(client net.Conn, address, subject string, cancel func()) {
	if subject == "" {
		cancel()
		return
	}
	behind, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer behind.Close()
	go func() { _, _ = bufio.NewReader(behind).WriteTo(client) }()
	lines := bufio.NewReader(client)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if strings.Contains(line, subject) && !strings.Contains(line, "penstock") && strings.Contains(line, "_INBOX") {
			cancel()
			return
		}
		if _, err := behind.Write([]byte(line)); err != nil {
			return
		}
	}
}
