package task

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"penstock/dlq"
)

// sampled is for lines of the log that may come once for every message. Of each
// kind of line it writes the first few within a minute, then how many more there
// were. Another line, stage, reason or error is another kind, so that the first
// of its kind is always seen. Nothing is written under its lock: a slow handler
// holds up the one who logs, and no other. Safe for concurrent use.
type sampled struct {
	mu    sync.Mutex
	kinds map[lineKind]*sampledLine
}

type lineKind struct{ stage, line, kind string }

type sampledLine struct {
	kind    lineKind
	log     *slog.Logger
	level   slog.Level
	began   time.Time
	written int
	omitted int
}

const (
	samplePeriod = time.Minute
	sampleFirst  = 5 // lines of a kind that are written within the period
	// sampleKinds is how many kinds are told apart at a time. All further ones
	// are counted as one kind, otherLines.
	sampleKinds = 256
)

const otherLines = "other"

// write logs a line, or counts it.
func (s *sampled) write(log *slog.Logger, level slog.Level, kind lineKind, now time.Time, args ...any) {
	isWritten, over := s.count(log, level, kind, now)
	over.tell()
	if isWritten {
		log.Log(context.Background(), level, kind.line, args...)
	}
}

// count says whether a line is written, and which periods are over.
func (s *sampled) count(log *slog.Logger, level slog.Level, kind lineKind, now time.Time) (isWritten bool, over leftOut) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.kinds[kind]
	if line == nil {
		over = s.end(now, false)
		if len(s.kinds) >= sampleKinds {
			kind.kind = otherLines
			line = s.kinds[kind]
		}
	}
	if line == nil {
		if s.kinds == nil {
			s.kinds = map[lineKind]*sampledLine{}
		}
		line = &sampledLine{kind: kind, log: log, level: level, began: now}
		s.kinds[kind] = line
	}
	if line.written >= sampleFirst && now.Sub(line.began) < samplePeriod {
		line.omitted++
		return false, over
	}
	if line.written >= sampleFirst {
		over = append(over, *line)
		*line = sampledLine{kind: kind, log: log, level: level, began: now}
	}
	line.written++
	return true, over
}

// end forgets the kinds whose period is over, or all, and returns them.
func (s *sampled) end(now time.Time, all bool) (over leftOut) {
	for kind, line := range s.kinds {
		if all || now.Sub(line.began) >= samplePeriod {
			over = append(over, *line)
			delete(s.kinds, kind)
		}
	}
	return over
}

// Flush tells what was left out in the periods that are over, or in all.
func (s *sampled) Flush(now time.Time, all bool) {
	s.mu.Lock()
	over := s.end(now, all)
	s.mu.Unlock()
	over.tell()
}

// leftOut are kinds of lines whose period is over.
type leftOut []sampledLine

// tell says of each kind how many lines were not written.
func (list leftOut) tell() {
	for _, l := range list {
		if l.omitted > 0 {
			l.log.Log(context.Background(), l.level, "similar log lines were left out", "line", l.kind.line, "kind", l.kind.kind,
				"count", l.omitted, "since", l.began)
		}
	}
}

// alike is what the texts of errors of one kind have in common: numbers, and
// what is in quotes, are different in each.
func alike(text string) string {
	text = dlq.Cut(text, mostAlike)
	var b strings.Builder
	var quote rune
	digits := false
	for _, r := range text {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
			continue
		case r == '"' || r == '`':
			quote = r
			r = '…'
		case '0' <= r && r <= '9':
			if digits {
				continue
			}
			r, digits = '#', true
			b.WriteRune(r)
			continue
		}
		digits = false
		b.WriteRune(r)
	}
	return b.String()
}

// mostAlike is how much of a text is looked at.
const mostAlike = 120

// logOften logs what may come once for every message of the stage.
func (in *Instance) logOften(level slog.Level, kind, line string, args ...any) {
	in.Run.Sampled.write(in.Log, level, lineKind{in.Definition.Name, line, kind}, in.Run.Clock.Now(), args...)
}
