package broker

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/minio/highwayhash"
	"github.com/nats-io/nats-server/v2/server"
)

// streamSum is the file with the checksum of streamMeta.
const streamSum = "meta.sum"

// mend finishes the creation of a stream, or the change of its settings, in which the process was killed. The server writes
// the settings and then their checksum, each at once. When they do not fit it passes over the stream at every start, with all
// its messages, until somebody creates it once more, and then again at the next start: it does not write them anew.
func mend(stream string, logger *slog.Logger) error {
	meta, err := os.ReadFile(filepath.Join(stream, streamMeta))
	if err != nil {
		return err
	}
	name := filepath.Base(stream)
	want, err := sumOf(name, meta)
	if err != nil {
		return err
	}
	path := filepath.Join(stream, streamSum)
	have, err := os.ReadFile(path)
	switch {
	case err == nil && string(have) == want:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	settings, err := readSettings(meta)
	switch {
	case err != nil && len(meta) > 0:
		logger.Warn("the settings of a stream cannot be read: they are made anew", "stream", name, "reason", err)
		return os.Truncate(filepath.Join(stream, streamMeta), 0)
	case settings.Name != name:
		return nil // not what the server wrote: it says more
	}
	logger.Debug("finishing the creation or change of a stream", "stream", name)
	return replace(path, []byte(want))
}

// readSettings reads as the server does, which takes a stream with a setting that it does not know out of service.
func readSettings(meta []byte) (settings server.FileStreamInfo, err error) {
	decoder := json.NewDecoder(bytes.NewReader(meta))
	decoder.DisallowUnknownFields()
	return settings, decoder.Decode(&settings)
}

// sumOf is the checksum that the server expects.
func sumOf(name string, meta []byte) (string, error) {
	key := sha256.Sum256([]byte(name))
	h, err := highwayhash.NewDigest64(key[:])
	if err != nil {
		return "", err
	}
	if _, err := h.Write(meta); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// replace writes a file at once.
func replace(path string, data []byte) error {
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(next, path)
}
