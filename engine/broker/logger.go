package broker

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// serverLog passes on what the embedded server says. Its notices (version, banner, ready) are details here.
type serverLog struct{ logger *slog.Logger }

var _ server.Logger = serverLog{}

func (l serverLog) Noticef(format string, args ...any) { l.debug(format, args) }
func (l serverLog) Debugf(format string, args ...any)  { l.debug(format, args) }
func (l serverLog) Tracef(format string, args ...any)  { l.debug(format, args) }
func (l serverLog) Warnf(format string, args ...any)   { l.warn(format, args) }
func (l serverLog) Errorf(format string, args ...any)  { l.warn(format, args) }
func (l serverLog) Fatalf(format string, args ...any)  { l.warn(format, args) }

func (l serverLog) debug(format string, args []any) {
	l.logger.Debug("embedded NATS server: " + fmt.Sprintf(format, args...))
}

// rebuilt are what the server says of an index that is older than its stream, as after each killed process: it
// reads the stream then, and nothing is lost.
var rebuilt = []string{
	"Stream state outdated, last block has additional entries, will rebuild",
	"Stream state outdated, found extra blocks, will rebuild",
}

func (l serverLog) warn(format string, args []any) {
	text := fmt.Sprintf(format, args...)
	if slices.ContainsFunc(rebuilt, func(end string) bool { return strings.HasSuffix(text, end) }) {
		l.logger.Debug("embedded NATS server: " + text)
		return
	}
	l.logger.Warn("embedded NATS server: " + text)
}
