package web

import (
	"fmt"
	"net"
	"net/http"
	"testing"
)

// fakeConn is a connection from somewhere.
type fakeConn struct {
	net.Conn
	from   string
	closed bool
}

func (f *fakeConn) RemoteAddr() net.Addr { return fakeAddr(f.from) }
func (f *fakeConn) Close() error         { f.closed = true; return nil }

type fakeAddr string

func (fakeAddr) Network() string  { return "tcp" }
func (a fakeAddr) String() string { return string(a) }

// Room is made by who has most connections that wait, and of these by the one
// that waits longest. Who gets an answer keeps its connection.
func TestWhoHasMostConnectionsMakesRoom(t *testing.T) {
	t.Parallel()
	c := newConnections(6, 10)
	enter := func(from string) *fakeConn {
		f := &fakeConn{from: from}
		c.enter(t.Context(), f)
		return f
	}
	prober := enter("127.0.0.1:1")
	answered := enter("10.0.0.9:1")
	c.change(c.open[answered], answerOther)
	var flood []*fakeConn
	for i := range 10 {
		flood = append(flood, enter(fmt.Sprintf("10.0.0.9:%d", 2+i)))
	}
	for i, f := range flood {
		if want := i < 6; f.closed != want {
			t.Errorf("connection %d of the flood: closed %v", i, f.closed)
		}
	}
	if prober.closed || answered.closed || len(c.open) != 6 {
		t.Errorf("prober closed %v, answered closed %v, %d open", prober.closed, answered.closed, len(c.open))
	}
	c.left(prober, http.StateClosed)
	if len(c.open) != 5 {
		t.Errorf("%d open after one has left", len(c.open))
	}
}
