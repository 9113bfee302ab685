package channel

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

const healthyAfter = 10 * time.Second

// episode is the time from the moment a consumer fails until another has worked for a while: it is told once, and the
// attempts in it are further and further apart.
type episode struct {
	cause  error // nil: all is well
	told   bool
	warned bool // of an attempt that failed
	delay  time.Duration
	since  time.Time // when the last consumer was made
}

// begin is told why a consumer failed. A connection that was lost is told of by the broker.
func (e *episode) begin(r *Reader, cause error) {
	if e.cause == nil {
		*e = episode{}
	}
	e.cause = cause
	if !errors.Is(cause, errReconnected) {
		r.trouble(cause)
	}
}

// next returns how long to wait before the next attempt.
func (e *episode) next() time.Duration {
	delay := e.delay
	e.delay = min(max(2*delay, firstDelay), lastDelay)
	return delay
}

func (e *episode) failed(r *Reader, err error) {
	r.trouble(err)
	r.channel.logger.Debug("an attempt to create the consumer failed", "consumer", r.cfg.Name, "error", err)
	if e.warned || !r.channel.broker.Connected() {
		return
	}
	e.warned = true
	r.channel.logger.Warn("cannot create the consumer; retrying", "consumer", r.cfg.Name, "error", err)
}

func (e *episode) made(r *Reader) {
	e.since = time.Now()
	if e.cause == nil || e.told {
		return
	}
	e.told = true
	level := slog.LevelWarn
	if errors.Is(e.cause, errReconnected) {
		level = slog.LevelInfo
	}
	reason := strings.TrimPrefix(e.cause.Error(), errFeed.Error()+": it ")
	r.channel.logger.Log(r.logContext, level, fmt.Sprintf("consumer %s of %s %s: recreated at offset %d", r.cfg.Name, r.channel.name, reason, r.expected))
}

// progress ends the episode when the new consumer has proved itself.
func (e *episode) progress() {
	if e.cause != nil && time.Since(e.since) > healthyAfter {
		e.cause = nil
	}
}

func (r *Reader) trouble(err error) {
	r.isTroubled = err != nil
	if r.cfg.OnTrouble != nil {
		r.cfg.OnTrouble(err)
	}
}

// works ends the trouble: the server has given a message, or has answered that there is none. That it took the consumer
// is not enough: it may refuse to give, or be asked in vain.
func (r *Reader) works() {
	if r.isTroubled {
		r.trouble(nil)
	}
}
