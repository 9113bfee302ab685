package crowd

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// fakeConn is a connection from somewhere.
type fakeConn struct {
	net.Conn
	from   string
	closed bool
}

func (f *fakeConn) Close() error { f.closed = true; return nil }

func (f *fakeConn) host() string {
	host, _, _ := strings.Cut(f.from, ":")
	return host
}

// Room is made by who has most connections that wait, and of these by the one
// that waits longest. Who gets an answer keeps its connection.
func TestWhoHasMostConnectionsMakesRoom(t *testing.T) {
	t.Parallel()
	c := New(func() int { return 6 })
	enter := func(from string) *fakeConn {
		f := &fakeConn{from: from}
		c.Enter(f, f.host())
		return f
	}
	prober := enter("127.0.0.1:1")
	answered := enter("10.0.0.9:1")
	c.Change(answered, Answered)
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
	c.Leave(prober)
	if len(c.open) != 5 {
		t.Errorf("%d open after one has left", len(c.open))
	}
}

// When the process has fewer files to give, connections that wait are closed first, and those that listen only
// where that is not enough.
func TestFewerConnectionsAreLeftWhenThereIsLessRoom(t *testing.T) {
	t.Parallel()
	c := New(func() int { return 6 })
	var all []*fakeConn
	for i := range 6 {
		f := &fakeConn{from: fmt.Sprintf("10.0.0.%d:1", i)}
		c.Enter(f, f.host())
		if i < 3 {
			c.Change(f, Answered)
		}
		all = append(all, f)
	}
	for _, most := range []int{5, 3, 2} {
		c.Resize(func() int { return most })
		if len(c.open) != most {
			t.Errorf("%d are open, want %d", len(c.open), most)
		}
		if all[2].closed {
			t.Errorf("with room for %d the last that listens was closed", most)
		}
		if waits := !all[5].closed; waits != (most > 3) {
			t.Errorf("with room for %d the last that waits: open %v", most, waits)
		}
	}
}
