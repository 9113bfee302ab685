package dlq

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"strconv"
)

// maxHistory is how many earlier rounds a letter remembers.
const maxHistory = 10

// Round is what a letter remembers of an earlier round: the last failure before a replay.
type Round struct {
	At       time.Time // when the letter of that round was written
	Reason   Reason
	Error    string // or the panic value, where there was no error
	Attempts int
	To       string // as Letter.To
}

// round is what remains of this letter in its next round.
func (l Letter) round() Round {
	r := Round{At: l.At, Reason: l.Reason, Error: l.Error, Attempts: len(l.Attempts) + l.AttemptsOmitted, To: l.To}
	if r.Error == "" {
		r.Error = l.Panic
	}
	return r
}

// ErrorChain describes err and the errors it wraps, outermost first and branch by branch, each as "type: text", cut
// to what Put keeps of them: the first and the last few.
func ErrorChain(err error) []string {
	const most = 64 // an error may wrap without end
	var list []string
	var walk func(error)
	walk = func(err error) {
		if err == nil || len(list) >= most {
			return
		}
		list = append(list, cut(fmt.Sprintf("%T: %s", err, err.Error()), fullLimits.chainText))
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
		}
	}
	walk(err)
	return storedChain(list, fullLimits)
}

func storedChain(chain []string, lim limits) []string {
	var list []string
	for i, text := range chain {
		if omitted := len(chain) - lim.chain; omitted > 0 && i >= 1 && i <= omitted {
			continue
		}
		list = append(list, cut(text, lim.chainText))
	}
	return list
}

func storedHistory(history []Round, lim limits) []Round {
	if excess := len(history) - lim.history; excess > 0 {
		history = history[excess:]
	}
	var list []Round
	for _, r := range history {
		r.At, r.Error = canonicalTime(r.At), cut(r.Error, lim.historyText)
		list = append(list, r)
	}
	return list
}

func setRounds(h nats.Header, l Letter) {
	if len(l.Chain) > 0 {
		h.Set(headerChain, encodeChain(l.Chain))
	}
	if l.Round > 1 {
		h.Set(headerRound, strconv.Itoa(l.Round))
	}
	if len(l.History) > 0 {
		h.Set(headerHistory, encodeHistory(l.History))
	}
	if l.To != "" {
		h.Set(headerTo, l.To)
	}
	if l.Edited {
		h.Set(headerEdited, "true")
	}
}

type chainJSON struct {
	Error  string `json:"error,omitempty"`
	Base64 []byte `json:"errorBase64,omitempty"`
}

func chainOf(text string) chainJSON {
	if jsonHolds(text) {
		return chainJSON{Error: text}
	}
	return chainJSON{Base64: []byte(text)}
}

func (c chainJSON) text() string {
	if c.Base64 != nil {
		return string(c.Base64)
	}
	return c.Error
}

func encodeChain(chain []string) string {
	out := make([]chainJSON, len(chain))
	for i, text := range chain {
		out[i] = chainOf(text)
	}
	return toJSON(out)
}

func decodeChain(s string) ([]string, error) {
	var in []chainJSON
	if err := json.Unmarshal([]byte(s), &in); err != nil {
		return nil, err
	}
	list := make([]string, len(in))
	for i, c := range in {
		list[i] = c.text()
	}
	return list, nil
}

type roundJSON struct {
	At     string `json:"at"`
	Reason Reason `json:"reason"`
	chainJSON
	Attempts int    `json:"attempts"`
	To       string `json:"to,omitempty"`
}

func encodeHistory(history []Round) string {
	out := make([]roundJSON, len(history))
	for i, r := range history {
		out[i] = roundJSON{At: encodeTime(r.At), Reason: r.Reason, chainJSON: chainOf(r.Error), Attempts: r.Attempts, To: r.To}
	}
	return toJSON(out)
}

func decodeHistory(s string) ([]Round, error) {
	var in []roundJSON
	if err := json.Unmarshal([]byte(s), &in); err != nil {
		return nil, err
	}
	list := make([]Round, len(in))
	for i, r := range in {
		at, err := decodeTime(r.At)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", i, err)
		}
		list[i] = Round{At: at, Reason: r.Reason, Error: r.text(), Attempts: r.Attempts, To: r.To}
	}
	return list, nil
}
