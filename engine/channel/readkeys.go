package channel

import (
	"bytes"
	"fmt"
	"io/fs"
	"runtime"

	"penstock/engine/frame"
	"penstock/internal/hint"
	"penstock/internal/userfile"
)

// ReadKeys reads engine.Config.FrameKeys from a file: a key in each line, without
// the white space around it, of at least 16 bytes. Empty lines and those
// that begin with # are left out. "openssl rand -base64 32" makes a key.
//
// A file that its group or others may read or write is refused, except on
// Windows. The group may read one of another user, such as root: that is how
// secrets are handed to a process without rights of its own.
func ReadKeys(path string) ([][]byte, error) {
	file, err := userfile.Open(path)
	if err != nil {
		return nil, fmt.Errorf("frame keys: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("frame keys: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("frame keys: %s is not a regular file (mode %v)", path, info.Mode())
	}
	if err := checkSecret(path, info); err != nil {
		return nil, fmt.Errorf("frame keys: %w", err)
	}
	if info.Size() > maxKeyFile {
		return nil, fmt.Errorf("frame keys: %s has %d bytes: a file of keys has %d at most", path, info.Size(), maxKeyFile)
	}
	data := make([]byte, info.Size())
	n, err := file.ReadAt(data, 0)
	if n < len(data) {
		return nil, fmt.Errorf("frame keys: read %s: %w", path, err)
	}
	var keys [][]byte
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			keys = append(keys, line)
		}
	}
	if _, err := frame.NewKeys(keys...); err != nil {
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	return keys, nil
}

const maxKeyFile = 64 << 10

// checkSecret refuses a file that more than its user may read or write.
func checkSecret(path string, info fs.FileInfo) error {
	if runtime.GOOS == "windows" { // where the mode says nothing of it
		return nil
	}
	forbidden := fs.FileMode(0o077)
	if !userfile.IsOwn(info) {
		forbidden &^= 0o040
	}
	mode := info.Mode().Perm()
	if mode&forbidden == 0 {
		return nil
	}
	who := "other users"
	if mode&0o007 == 0 {
		who = "its group"
	}
	return fmt.Errorf("%s has the mode %04o: %s may read or write it, and it holds a secret: chmod 600 %s", path, mode, who, hint.Word(path))
}
