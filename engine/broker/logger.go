package broker

import (
	"fmt"
	"log/slog"

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

func (l serverLog) warn(format string, args []any) {
	l.logger.Warn("embedded NATS server: " + fmt.Sprintf(format, args...))
}
