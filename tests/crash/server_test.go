//go:build unix

package crash

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"penstock/tests/loopback"
)

// natsServer is an external server in a process of its own. It keeps its port when it comes back.
type natsServer struct {
	*testing.T
	binary, dir string
	url         string
	port        int
	child       *victim
}

func startServer(t *testing.T) *natsServer {
	t.Helper()
	s := &natsServer{T: t, binary: built(t, buildNormal), dir: filepath.Join(t.TempDir(), "server"), port: loopback.ForTest(t)}
	s.start()
	return s
}

// start starts the server, again after a kill, and waits until it listens.
func (s *natsServer) start() {
	s.Helper()
	listening := make(chan struct{})
	address := ""
	s.child = start(s.T, order{
		binary: s.binary,
		args:   []string{"server", "-dir", s.dir, "-port", strconv.Itoa(s.port)},
		watch: func(_ *victim, line string) {
			if text, found := strings.CutPrefix(line, "listening "); found {
				address = text
				close(listening)
			}
		},
	})
	s.child.await(s.T, "listening server", listening)
	s.url = address
}

func (s *natsServer) kill() {
	s.Helper()
	s.child.Kill()
	<-s.child.Done()
}
