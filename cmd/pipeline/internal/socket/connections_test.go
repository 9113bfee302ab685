package socket

import (
	"net"
	"net/http"
	"testing"
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
	c := &connections{most: func() int { return 3 }, open: map[net.Conn]connection{}}
	var all []*quiet
	for i := range 5 {
		q := &quiet{}
		all = append(all, q)
		c.note(q, http.StateNew)
		if i == 0 {
			c.note(q, http.StateActive)
		}
	}
	for i, q := range all {
		if want := i == 1 || i == 2; q.closed != want {
			t.Errorf("connection %d: closed %v", i, q.closed)
		}
	}
	c.note(all[1], http.StateActive) // a request that was under way
	if len(c.open) != 3 {
		t.Errorf("%d are open", len(c.open))
	}
	c.resize(func() int { return 1 })
	if all[0].closed || len(c.open) != 1 {
		t.Errorf("with room for one: the one that is answered is closed %v, and %d are open", all[0].closed, len(c.open))
	}
	c.note(all[0], http.StateClosed)
	if len(c.open) != 0 {
		t.Errorf("%d are open after the end", len(c.open))
	}
}
