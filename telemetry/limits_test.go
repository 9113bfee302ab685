package telemetry

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"penstock/engine"
	"penstock/telemetry/drawing"
	"penstock/telemetry/internal/web"
	"penstock/telemetry/prom"
	"penstock/telemetry/record"
)

// pipes is a listener without a network, so that its time is that of a test.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9900} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.connections <- there
	return here
}

// timed serves a pipeline that does nothing, in a time that costs none.
func timed(t *testing.T, test func(s *Server, dial func() net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		c := Config{Logger: slog.New(slog.DiscardHandler)}.withDefaults()
		p, h := engine.New("timed"), record.NewHub()
		recorder, err := record.NewRecorder(p, c.Interval, c.Triggers, h)
		if err != nil {
			t.Fatal(err)
		}
		listener := newPipes()
		s := &Server{pipeline: p, config: c, log: c.Logger, listener: listener, hub: h, recorder: recorder, drawer: drawing.NewDrawer(), access: c.access(),
			registry: prometheus.NewRegistry()}
		s.registry.MustRegister(prom.NewCollector(p))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx) }()
		test(s, listener.dial)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// get asks for a page; the answer is read from the connection.
func get(c net.Conn, path string) error {
	_, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	return err
}

// untilClosed writes a piece each second, and says how long it was let do so.
func untilClosed(c net.Conn, begin, piece string) time.Duration {
	started := time.Now()
	go func() { _, _ = io.Copy(io.Discard, c) }() // the answer
	for piece, next := begin, piece; ; piece = next {
		if _, err := io.WriteString(c, piece); err != nil || time.Since(started) > time.Hour {
			return time.Since(started)
		}
		time.Sleep(time.Second) // of the bubble: it passes at once
	}
}

// Slowloris: who sends a request byte by byte keeps no connection for long.
func TestSlowRequestsAreCutOff(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ begin, piece string }{
		"header": {"GET / HTTP/1.1\r\nHost: localhost\r\n", "X: y\r\n"},
		"body": {"POST /api/v1/letters/replay HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Length: 1000000\r\n\r\n",
			" "},
		"nothing": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timed(t, func(_ *Server, dial func() net.Conn) {
				c := dial()
				defer c.Close()
				if took := untilClosed(c, test.begin, test.piece); took > web.ReadTime+2*time.Second {
					t.Errorf("cut off after %v", took)
				}
			})
		})
	}
}

// Who reads nothing is cut off, and the pipeline never waits for him.
func TestWhoDoesNotReadIsCutOff(t *testing.T) {
	t.Parallel()
	timed(t, func(s *Server, dial func() net.Conn) {
		c := dial()
		defer c.Close()
		if err := get(c, "/api/v1/live"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := s.hub.Count(); n != 1 {
			t.Fatalf("%d listen", n)
		}
		time.Sleep(web.WriteTime + 2*time.Second)
		synctest.Wait()
		if n := s.hub.Count(); n != 0 {
			t.Errorf("%d listen who read nothing for %v", n, web.WriteTime)
		}
	})
}

// The same with a long answer.
func TestWhoReadsHalfIsCutOff(t *testing.T) {
	t.Parallel()
	timed(t, func(_ *Server, dial func() net.Conn) {
		c := dial()
		defer c.Close()
		if err := get(c, "/assets/vendor/viz.js"); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReaderSize(c, 16)
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(web.WriteTime + 2*time.Second)
		if n, err := io.Copy(io.Discard, answer.Body); err == nil {
			t.Errorf("all %d bytes came", n)
		}
	})
}

// The limits of a request do not end a live stream that is read.
func TestALiveStreamLasts(t *testing.T) {
	t.Parallel()
	timed(t, func(s *Server, dial func() net.Conn) {
		c := dial()
		defer c.Close()
		if err := get(c, "/api/v1/live"); err != nil {
			t.Fatal(err)
		}
		begin, samples := time.Now(), 0
		for lines := bufio.NewScanner(c); samples < 100 && lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "event: sample") {
				samples++
			}
		}
		if took := time.Since(begin); samples != 100 || took > 101*time.Second {
			t.Errorf("%d samples in %v", samples, took)
		}
	})
}

// A connection that has answered once can do so later.
func TestAnIdleConnectionIsOfUse(t *testing.T) {
	t.Parallel()
	timed(t, func(_ *Server, dial func() net.Conn) {
		c := dial()
		defer c.Close()
		in := bufio.NewReader(c)
		for _, path := range []string{"/api/v1/status", "/healthz", "/assets/style.css"} {
			go func() { _ = get(c, path) }()
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != 200 {
				t.Errorf("%s: %d, %v", path, answer.StatusCode, err)
			}
			time.Sleep(web.IdleTime - time.Second)
		}
	})
}

// Who comes when too many listen is told so, and everything else goes on.
func TestTooManyDashboards(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	for range record.ListenersMost {
		s.server.hub.Join()
	}
	if code, _, body := s.ask("GET", "/api/v1/live", nil); code != 503 || !strings.Contains(body, "too many") {
		t.Errorf("%d %s", code, body)
	}
	if code, _, _ := s.ask("GET", "/api/v1/sample", nil); code != 200 {
		t.Errorf("others: %d", code)
	}
	s.until("those who read nothing are cut off", func() bool {
		s.server.hub.Send("event", record.Event{})
		return s.server.hub.Count() == 0
	})
	if code, _, _ := s.ask("GET", "/api/v1/live", nil); code != 200 {
		t.Errorf("after that: %d", code)
	}
}

func TestLargeRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	own := header("Sec-Fetch-Site", "same-origin")
	for name, test := range map[string]struct {
		method, path string
		change       func(*http.Request)
		want         int
	}{
		"a header of 64 KiB": {"GET", "/healthz", header("X-Long", strings.Repeat("x", 64<<10)), 431},
		"a body of 2 MiB": {"POST", "/api/v1/letters/discard", func(r *http.Request) {
			own(r)
			r.Body = io.NopCloser(strings.NewReader(`{"ids": ["` + strings.Repeat("x", 2<<20) + `"]}`))
		}, 413},
		"2000 ids": {"POST", "/api/v1/letters/discard", func(r *http.Request) {
			own(r)
			r.Body = io.NopCloser(strings.NewReader(`{"ids": [` + strings.Repeat(`"a.0:b.0:1",`, 1999) + `"a.0:b.0:1"]}`))
		}, 400},
		"no JSON": {"POST", "/api/v1/letters/discard", func(r *http.Request) {
			own(r)
			r.Body = io.NopCloser(strings.NewReader("ids=1"))
		}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			if code, _, body := s.ask(test.method, test.path, test.change); code != test.want {
				t.Errorf("%d %.200s, want %d", code, body, test.want)
			}
		})
	}
}
