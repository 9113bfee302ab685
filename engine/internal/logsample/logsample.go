package logsample

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"penstock/dlq"
)

// Sampler writes the first few lines of each kind within a minute, then how many
// more there were. Its zero value is ready. Nothing is written under its lock: a
// slow handler holds up the one who logs, and no other. Safe for concurrent use.
type Sampler struct {
	mu    sync.Mutex
	kinds map[Kind]*sampledLine
}

// Kind tells lines apart: the first line of each kind is always seen.
type Kind struct {
	Stage string // "" for the pipeline
	Line  string // the message of the line
	About string // a reason, or what errors of one kind have in common: see Alike
}

type sampledLine struct {
	kind    Kind
	log     *slog.Logger
	level   slog.Level
	began   time.Time
	written int
	omitted int
}

const (
	period = time.Minute
	First  = 5 // lines of a kind that are written within the period
	// mostKinds is how many kinds are told apart at a time. All further ones
	// are counted as one kind, otherLines.
	mostKinds = 256
)

const otherLines = "other"

// Write logs a line, or counts it.
func (s *Sampler) Write(log *slog.Logger, level slog.Level, kind Kind, now time.Time, args ...any) {
	isWritten, over := s.count(log, level, kind, now)
	over.tell()
	if isWritten {
		log.Log(context.Background(), level, kind.Line, args...)
	}
}

// count says whether a line is written, and which periods are over.
func (s *Sampler) count(log *slog.Logger, level slog.Level, kind Kind, now time.Time) (isWritten bool, over leftOut) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.kinds[kind]
	if line == nil {
		over = s.end(now, false)
		if len(s.kinds) >= mostKinds {
			kind.About = otherLines
			line = s.kinds[kind]
		}
	}
	if line == nil {
		if s.kinds == nil {
			s.kinds = map[Kind]*sampledLine{}
		}
		line = &sampledLine{kind: kind, log: log, level: level, began: now}
		s.kinds[kind] = line
	}
	if line.written >= First && now.Sub(line.began) < period {
		line.omitted++
		return false, over
	}
	if line.written >= First {
		over = append(over, *line)
		*line = sampledLine{kind: kind, log: log, level: level, began: now}
	}
	line.written++
	return true, over
}

// end forgets the kinds whose period is over, or all, and returns them.
func (s *Sampler) end(now time.Time, all bool) (over leftOut) {
	for kind, line := range s.kinds {
		if all || now.Sub(line.began) >= period {
			over = append(over, *line)
			delete(s.kinds, kind)
		}
	}
	return over
}

// Flush tells what was left out in the periods that are over, or in all.
func (s *Sampler) Flush(now time.Time, all bool) {
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
			l.log.Log(context.Background(), l.level, "similar log lines were left out", "line", l.kind.Line, "kind", l.kind.About,
				"count", l.omitted, "since", l.began)
		}
	}
}

// Alike is what the texts of errors of one kind have in common: numbers, and
// what is in quotes, are different in each.
func Alike(text string) string {
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
