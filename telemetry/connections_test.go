package telemetry

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"penstock/telemetry/internal/web"
)

// crowds are what 1,000 clients do to keep others out.
var crowds = map[string]string{
	"says nothing":                     "",
	"sends a header byte by byte":      "GET /healthz HTTP/1.1\r\nHo",
	"sends a body byte by byte":        "POST /api/v1/letters/replay HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Length: 100\r\n\r\n{",
	"listens":                          "GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"does not read a page":             "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"does not read that it lives":      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"does not read the metrics":        "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"asks for what needs another name": "GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n",
}

// Whatever a crowd does, probes and Prometheus are answered at once: the time of
// the bubble does not move.
func TestACrowdDoesNotKeepProbesOut(t *testing.T) {
	t.Parallel()
	for name, begin := range crowds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timed(t, func(_ *Server, dial func() net.Conn) {
				started := time.Now()
				for range web.ConnectionsMost + 100 {
					c := dial()
					defer c.Close()
					if begin != "" {
						go func() { _, _ = io.WriteString(c, begin) }()
						synctest.Wait()
					}
				}
				for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
					c := dial()
					code, err := answerOf(c, path)
					if err != nil || code == 0 {
						t.Errorf("%s: %v", path, err)
					}
					if took := time.Since(started); took != 0 {
						t.Errorf("%s came after %v", path, took)
					}
					_ = c.Close()
				}
			})
		})
	}
}

// answerOf asks for a page and reads the answer.
func answerOf(c net.Conn, path string) (code int, err error) {
	go func() { _ = get(c, path) }()
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// What is answered slowly has a bound of its own, and what is beyond it is told.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	timed(t, func(_ *Server, dial func() net.Conn) {
		for range web.AnswersMost {
			c := dial()
			defer c.Close()
			go func() { _ = get(c, "/assets/vendor/viz.js") }()
		}
		synctest.Wait()
		c := dial()
		defer c.Close()
		if code, err := answerOf(c, "/api/v1/status"); err != nil || code != http.StatusServiceUnavailable {
			t.Errorf("%d, %v", code, err)
		}
	})
}

// The same over the network.
func TestProbesAreAnsweredBesideAThousandConnections(t *testing.T) {
	s := serve(t, Config{})
	for _, begin := range []string{"", crowds["sends a header byte by byte"], crowds["listens"]} {
		for range web.ConnectionsMost {
			c, err := net.Dial("tcp", s.server.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, begin); err != nil && !errors.Is(err, io.EOF) {
				continue // it had to make room already
			}
		}
		for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL()+path[1:], nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Close = true
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
				t.Errorf("%s: %d, %v", path, answer.StatusCode, err)
			}
			_ = answer.Body.Close()
			cancel()
		}
	}
}
