package engine

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
// of its kind is always seen. Safe for concurrent use.
type sampled struct {
	mu    sync.Mutex
	kinds map[lineKind]*sampledLine
}

type lineKind struct{ stage, line, kind string }

type sampledLine struct {
	log     *slog.Logger
	level   slog.Level
	began   time.Time
	written int
	omitted int
}

const (
	samplePeriod = time.Minute
	sampleFirst  = 5   // lines of a kind that are written within the period
	sampleKinds  = 256 // kinds at a time; all others together are one more
)

// otherLines is the kind of those that are too many.
const otherLines = "other"

// write logs a line, or counts it.
func (s *sampled) write(log *slog.Logger, level slog.Level, kind lineKind, now time.Time, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.kinds[kind]
	if line == nil {
		s.end(now, false)
		if len(s.kinds) >= sampleKinds {
			kind.kind = otherLines
			line = s.kinds[kind]
		}
	}
	if line == nil {
		if s.kinds == nil {
			s.kinds = map[lineKind]*sampledLine{}
		}
		line = &sampledLine{log: log, level: level, began: now}
		s.kinds[kind] = line
	}
	if line.written >= sampleFirst && now.Sub(line.began) < samplePeriod {
		line.omitted++
		return
	}
	if line.written >= sampleFirst {
		line.tell(kind)
		*line = sampledLine{log: log, level: level, began: now}
	}
	line.written++
	log.Log(context.Background(), level, kind.line, args...)
}

// end tells of what was left out in the periods that are over, or in all.
func (s *sampled) end(now time.Time, all bool) {
	for kind, line := range s.kinds {
		if all || now.Sub(line.began) >= samplePeriod {
			line.tell(kind)
			delete(s.kinds, kind)
		}
	}
}

func (s *sampled) flush(now time.Time, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(now, all)
}

func (l *sampledLine) tell(kind lineKind) {
	if l.omitted > 0 {
		l.log.Log(context.Background(), l.level, "more such lines were left out", "line", kind.line, "kind", kind.kind,
			"count", l.omitted, "since", l.began)
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
func (in *instance) logOften(level slog.Level, kind, line string, args ...any) {
	in.run.sampled.write(in.log, level, lineKind{in.definition.name, line, kind}, in.run.clock.now(), args...)
}
