package dlq

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Overhead is what a letter needs at most besides its value and key, in bytes, once its texts are cut short. Who bounds
// values and keys to the server's maximum payload less Overhead never meets [ErrTooLarge].
const Overhead = 4 << 10

// limits bounds the parts of a letter that may be cut, in bytes before encoding.
type limits struct {
	stack       int
	text        int // error, panic
	attempts    int // number
	attemptText int
	version     int
	chain       int // number
	chainText   int
	history     int // number
	historyText int
	key         int // a longer one is not cut, it moves to the payload
}

var (
	// fullLimits keep the headers below the server's 64 KiB.
	fullLimits = limits{stack: MaxStack, text: MaxText, attempts: 16, attemptText: MaxAttemptText, version: 256,
		chain: 8, chainText: 320, history: maxHistory, historyText: 128, key: 2 << 10}
	// smallLimits keep them below Overhead.
	smallLimits = limits{stack: 256, text: 256, attempts: 2, attemptText: 128, version: 64,
		chain: 1, chainText: 64, history: 1, historyText: 32, key: 64}
)

// stored returns the letter as it comes back from reading: cut to the limits, times in UTC.
func (l Letter) stored(lim limits) Letter {
	l.Time, l.At = canonicalTime(l.Time), canonicalTime(l.At)
	l.Error, l.Panic = cut(l.Error, lim.text), cut(l.Panic, lim.text)
	l.Stack = cut(l.Stack, lim.stack)
	l.Version = cut(l.Version, lim.version)
	if len(l.Value) == 0 {
		l.Value = nil
	}
	l.ValueBytes = len(l.Value)
	l.Round = max(l.Round, 1)
	l.Chain = storedChain(l.Chain, lim)
	l.History = storedHistory(l.History, lim)
	attempts := l.Attempts
	l.Attempts = nil
	for i, a := range attempts {
		if omitted := len(attempts) - lim.attempts; omitted > 0 && i >= 1 && i <= omitted {
			l.AttemptsOmitted++
			continue
		}
		l.Attempts = append(l.Attempts, Attempt{canonicalTime(a.Time), cut(a.Error, lim.attemptText)})
	}
	l.Sequence, l.Queue = 0, ""
	return l
}

func canonicalTime(t time.Time) time.Time { return t.Round(0).UTC() }

// What Put keeps at most of texts about a failure, in bytes.
const (
	MaxText        = 4 << 10 // of Letter.Error and Letter.Panic
	MaxStack       = 16 << 10
	MaxAttemptText = 512
)

// Cut shortens s to at most limit bytes and says so at its end. It does not cut within a character. Who keeps texts of
// users' errors before they become a letter cuts them likewise: such a text may well hold the whole message.
func Cut(s string, limit int) string { return cut(s, limit) }

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	mark := fmt.Sprintf(" …[cut, %d bytes in all]", len(s))
	end := max(limit-len(mark), 0)
	for back := 0; back < utf8.UTFMax-1 && end > 0 && !utf8.RuneStart(s[end]); back++ {
		end--
	}
	return s[:end] + mark
}
