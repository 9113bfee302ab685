package web

import (
	"log/slog"
	"sync"

	"penstock/internal/openfiles"
)

// connectionsFew is what a page, its live stream and two systems that probe may need:
// with less the log says why clients are turned away.
const connectionsFew = 32

// shareFiles bounds the connections by what the open files of the process leave for them.
// Close must follow.
func shareFiles(log *slog.Logger, c *connections) *openfiles.Share {
	var once sync.Once
	follow := func(s *openfiles.Share) {
		c.Resize(s.Most)
		if s.Most() < connectionsFew {
			once.Do(func() { warnOfFew(log, s.Most()) })
		}
	}
	share := openfiles.Listen(ConnectionsLeast, ConnectionsMost, follow)
	follow(share)
	return share
}

func warnOfFew(log *slog.Logger, connections int) {
	limit, _ := openfiles.Limit()
	log.Warn("few connections to dashboard, metrics and probes: the process may open few files; raise its limit (ulimit -n in a shell, LimitNOFILE= in a systemd unit)",
		"connections", connections, "open_files", limit)
}
