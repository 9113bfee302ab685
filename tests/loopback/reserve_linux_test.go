package loopback

import (
	"net"
	"strconv"
	"syscall"
	"testing"
)

func TestAReservedPortIsForServersOnly(t *testing.T) {
	t.Parallel()
	port := ForTest(t)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for range 3 {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			t.Fatal("somebody listens")
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatalf("a server cannot come back: %v", err)
		}
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Close(), l.Close()
	}
}

// A socket whose range is the reserved port alone stands for everybody who might be given it.
func TestAReservedPortIsGivenToNobody(t *testing.T) {
	t.Parallel()
	port, release, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	dial := func() error {
		c, err := (&net.Dialer{Control: only(t, port)}).DialContext(t.Context(), "tcp", server.Addr().String())
		if err == nil {
			defer func() { _ = c.Close() }()
			if got := c.LocalAddr().(*net.TCPAddr).Port; got != port {
				t.Skipf("the system does not know IP_LOCAL_PORT_RANGE: asked for %d, got %d", port, got)
			}
		}
		return err
	}
	listen := func() error {
		l, err := (&net.ListenConfig{Control: only(t, port)}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err == nil {
			_ = l.Close()
		}
		return err
	}
	if dial() == nil || listen() == nil {
		t.Error("the port was given away")
	}
	release()
	if err := listen(); err != nil {
		t.Errorf("the port stays taken: %v", err)
	}
	if err := dial(); err != nil {
		t.Errorf("the port stays taken: %v", err)
	}
}

// only has a socket be given this port or none: ip(7), IP_LOCAL_PORT_RANGE, since Linux 6.3.
func only(t *testing.T, port int) func(network, address string, conn syscall.RawConn) error {
	const ipLocalPortRange = 51
	return func(_, _ string, conn syscall.RawConn) error {
		var err error
		if failed := conn.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, ipLocalPortRange, port<<16|port)
		}); failed != nil {
			return failed
		}
		if err != nil {
			t.Skipf("the system does not know IP_LOCAL_PORT_RANGE: %v", err)
		}
		return nil
	}
}
