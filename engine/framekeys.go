package engine

import (
	"bytes"
	"fmt"
	"os"

	"penstock/engine/channel"
	"penstock/engine/frame"
)

// ErrFrameKey is wrapped when a channel's frames are authenticated with a key
// that Config.FrameKeys does not have. Nothing is damaged, and nothing was
// changed.
var ErrFrameKey = channel.ErrKey

// ReadFrameKeys reads Config.FrameKeys from a file: a key in each line, without
// the white space around it, of at least 16 bytes. Empty lines and those that
// begin with # are left out. A file that everybody may read or write is refused.
// "openssl rand -base64 32" makes a key.
func ReadFrameKeys(path string) ([][]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("frame keys: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("frame keys: %w", err)
	}
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&0o007 != 0 {
		return nil, fmt.Errorf("frame keys: %s has the mode %v: other users may read or write it, and must not (chmod 600 %s)", path, mode, path)
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

// frameKeys are the keys of a configuration; nil for none.
func (c Config) frameKeys() (*frame.Keys, error) {
	if len(c.FrameKeys) == 0 {
		return nil, nil
	}
	keys, err := frame.NewKeys(c.FrameKeys...)
	if err != nil {
		return nil, fmt.Errorf("engine: Config.FrameKeys: %w", err)
	}
	return keys, nil
}
