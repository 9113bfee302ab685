package broker

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/engine/internal/blocks"
	"penstock/internal/nofollow"
)

// mend finishes the creation of a stream, or the change of its settings, in which the process was killed. The server
// writes the settings and then their checksum, each at once. When they do not fit it passes over the stream at every
// start, with all its messages, until a client creates it once more, and then again at the next start: it does not
// write them anew. A bit that flipped since is flipped back, which the checksum tells; settings that cannot be read are
// emptied, and made anew by the client that creates the stream.
func mend(dir string, logger *slog.Logger) error {
	stream, err := blocks.Open(dir)
	if err != nil || stream.Problem == nil {
		return err
	}
	path := filepath.Join(dir, streamMeta)
	meta, err := nofollow.ReadFile(path)
	if err != nil {
		return err
	}
	if mended, found := stream.MendSettings(); found && !bytes.Equal(mended, meta) {
		logger.Warn("corrected a flipped bit in the settings of a stream", "stream", stream.Name)
		return stream.Describe(mended)
	}
	if len(meta) == 0 || stream.IsOfAnother(meta) {
		return nil // the server says more
	}
	settings, err := readSettings(meta)
	if err == nil && settings.Name != stream.Name {
		err = stream.Problem
	}
	if err != nil {
		logger.Warn("the settings of a stream cannot be read: creating them again", "stream", stream.Name, "reason", err)
		return os.Truncate(path, 0)
	}
	logger.Debug("finishing the creation or change of a stream", "stream", stream.Name)
	return stream.Describe(meta)
}

// readSettings reads as the server does, which takes a stream with a setting that it does not know out of service.
func readSettings(meta []byte) (settings server.FileStreamInfo, err error) {
	decoder := json.NewDecoder(bytes.NewReader(meta))
	decoder.DisallowUnknownFields()
	return settings, decoder.Decode(&settings)
}
