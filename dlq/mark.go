package dlq

import (
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// markOf names a queue for good: by the identity of its run, and by when its stream was made. Together with a sequence
// it names one write of a letter, among all queues. So the stream itself tells what became of each letter that was read
// from it.
func markOf(info *jetstream.StreamInfo) string {
	identity := info.Config.Metadata[metadataIdentity]
	if identity == "" {
		return ""
	}
	return identity + "@" + strconv.FormatInt(info.Created.UnixNano(), 36)
}

// splitMark is the run of a mark, and its stream; both are "" if there is none.
func splitMark(mark string) (identity, created string) {
	k := strings.LastIndexByte(mark, '@')
	if k < 0 {
		return "", ""
	}
	return mark[:k], mark[k+1:]
}

// decode reads a letter of this queue.
func (q *Queue) decode(m *jetstream.RawStreamMsg) (Letter, error) {
	l, err := decode(m)
	if err == nil {
		l.Queue = q.mark
	}
	return l, err
}
