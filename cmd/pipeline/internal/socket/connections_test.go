package socket

import (
	"net"
	"net/http"
	"testing"

	"penstock/internal/crowd"
)

// quiet is a connection that knows whether it was closed.
type quiet struct {
	net.Conn
	closed bool
}

func (q *quiet) Close() error { q.closed = true; return nil }

// Room is made by the connection that waits longest for a request. One that is answered keeps its place.
func TestConnectionsThatWaitMakeRoom(t *testing.T) {
	t.Parallel()
	set := crowd.New(func() int { return 3 })
	note := noteIn(set)
	var all []*quiet
	for i := range 5 {
		q := &quiet{}
		all = append(all, q)
		note(q, http.StateNew)
		if i == 0 {
			note(q, http.StateActive)
		}
	}
	for i, q := range all {
		if want := i == 1 || i == 2; q.closed != want {
			t.Errorf("connection %d: closed %v", i, q.closed)
		}
	}
	note(all[1], http.StateActive) // a request that was under way
	set.Resize(func() int { return 1 })
	for i, q := range all {
		if want := i > 0; q.closed != want {
			t.Errorf("with room for one: connection %d is closed %v", i, q.closed)
		}
	}
	note(all[0], http.StateClosed)
	last := &quiet{}
	note(last, http.StateNew)
	if last.closed {
		t.Error("there is no room after the end of the only one")
	}
}
