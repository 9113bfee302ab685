package loopback

import (
	"fmt"
	"sync"
	"syscall"
)

// Reserve takes a free port of 127.0.0.1 until release is called, which may be more than once. A server of any process
// can listen on the port, if it sets SO_REUSEADDR as Go's listeners do; the system gives it to nobody. While no server
// listens, connections are refused. It is safe for concurrent use.
func Reserve() (port int, release func(), err error) {
	// A socket that is bound and does not listen: socket(7), SO_REUSEADDR.
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, fmt.Errorf("reserve a port: socket: %w", err)
	}
	release = sync.OnceFunc(func() { _ = syscall.Close(fd) })
	port, err = bind(fd)
	if err != nil {
		release()
		return 0, nil, fmt.Errorf("reserve a port: %w", err)
	}
	return port, release, nil
}

func bind(fd int) (port int, err error) {
	// Only after the bind: a port that is bound with it may be given twice.
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, fmt.Errorf("bind: %w", err)
	}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, fmt.Errorf("set SO_REUSEADDR: %w", err)
	}
	address, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, fmt.Errorf("getsockname: %w", err)
	}
	return address.(*syscall.SockaddrInet4).Port, nil
}
