package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// Name is the file of the control socket in its directory.
const Name = "control.sock"

// longestPath is what fits everywhere into the address of a unix socket, which
// has 104 to 108 bytes.
const longestPath = 100

// short gives a short name for a file in a directory, valid until release is
// called. Linux reaches the directory through an open file.
func short(dir, name string) (path string, release func(), err error) {
	path = filepath.Join(dir, name)
	if len(path) <= longestPath {
		return path, func() {}, nil
	}
	if runtime.GOOS != "linux" {
		return "", nil, fmt.Errorf("the path of the socket %s is longer than %d bytes: name a shorter directory with --dir", path, longestPath)
	}
	open, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", open.Fd(), name), func() { _ = open.Close() }, nil
}

// Listen makes the control socket in a directory whose lock is held. It
// replaces one that a crash left, and only the user can ever connect:
// the socket is born in a private directory and moved when it is closed to
// others.
func Listen(dir string) (net.Listener, error) {
	nest := filepath.Join(dir, ".control")
	if err := os.RemoveAll(nest); err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	if err := os.Mkdir(nest, 0o700); err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	defer os.RemoveAll(nest)
	path, release, err := short(nest, "s")
	if err != nil {
		return nil, err
	}
	defer release()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	listener.SetUnlinkOnClose(false) // it moves
	err = os.Chmod(filepath.Join(nest, "s"), 0o600)
	if err == nil {
		err = os.Rename(filepath.Join(nest, "s"), filepath.Join(dir, Name))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the control socket: %w", err), listener.Close())
	}
	return listener, nil
}

// Dial connects to the control socket in a directory.
func Dial(ctx context.Context, dir string) (net.Conn, error) {
	path, release, err := short(dir, Name)
	if err != nil {
		return nil, err
	}
	defer release()
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}
