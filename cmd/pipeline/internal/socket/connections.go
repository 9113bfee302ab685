package socket

import (
	"net"
	"net/http"

	"penstock/internal/crowd"
	"penstock/internal/openfiles"
)

// Connections that are open at once, where the process may open that many files, and
// however few those are.
const (
	connectionsMost  = 2 * controlCallers
	connectionsLeast = 8
)

// newConnections bounds them by what the open files of the process leave. The share must
// be closed.
func newConnections() (*crowd.Set, *openfiles.Share) {
	set := crowd.New(func() int { return connectionsLeast })
	resize := func(s *openfiles.Share) { set.Resize(s.Most) }
	share := openfiles.Listen(connectionsLeast, connectionsMost, resize)
	resize(share)
	return set, share
}

// noteIn makes an http.Server's ConnState.
func noteIn(set *crowd.Set) func(net.Conn, http.ConnState) {
	return func(conn net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			set.Enter(conn, "")
		case http.StateActive:
			set.Change(conn, crowd.Answered)
		case http.StateIdle:
			set.Change(conn, crowd.Waiting)
		default:
			set.Leave(conn)
		}
	}
}
