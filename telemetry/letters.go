package telemetry

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/cborjson"
	"penstock/engine/redact"
	"penstock/engine/remedy"
)

// Bounds of what is asked about dead letters at once.
const (
	lettersShown  = 500
	lettersAtOnce = 1000
	valueShown    = 256 << 10
	lettersTime   = 20 * time.Second
)

// Letter is a dead letter in an answer.
type Letter struct {
	ID       string    `json:"id"`
	Stage    string    `json:"stage"`
	Reason   string    `json:"reason"`
	Key      string    `json:"key,omitempty"`
	Error    string    `json:"error"`
	Attempts int       `json:"attempts"`
	Round    int       `json:"round"`
	Time     time.Time `json:"time"` // when it was written

	// Of one letter alone:
	Stack string `json:"stack,omitempty"`
	Value any    `json:"value,omitempty"` // JSON, or text
	Codec string `json:"codec,omitempty"`
	Bytes int    `json:"bytes"`

	// Unreadable: it is a message that is no letter; it can be discarded, not
	// replayed.
	Unreadable bool `json:"unreadable,omitempty"`
}

// Letters is the answer about all of them.
type Letters struct {
	Count   uint64   `json:"count"`
	Letters []Letter `json:"letters"` // the newest, without their values
}

func letterOf(l dlq.Letter) Letter {
	return Letter{
		ID: l.ID(), Stage: l.Stage, Reason: string(l.Reason), Key: l.Key, Error: redact.Text(l.Error),
		Attempts: len(l.Attempts) + l.AttemptsOmitted, Round: l.Round, Time: l.At, Bytes: l.ValueBytes,
		Unreadable: l.Unreadable,
	}
}

func (s *Server) letters(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), lettersTime)
	defer cancel()
	queue, err := s.pipeline.DeadLetters()
	if err != nil {
		writeError(w, err)
		return
	}
	answer := Letters{Letters: []Letter{}}
	if answer.Count, err = queue.Count(ctx); err != nil {
		writeError(w, err)
		return
	}
	err = queue.Select(ctx, dlq.Filter{WithoutValues: true, Unreadable: true}, func(l dlq.Letter) error {
		if answer.Letters = append(answer.Letters, letterOf(l)); len(answer.Letters) > 2*lettersShown {
			answer.Letters = append(answer.Letters[:0], answer.Letters[lettersShown:]...)
		}
		return nil
	})
	if err != nil {
		writeError(w, err)
		return
	}
	if n := len(answer.Letters); n > lettersShown {
		answer.Letters = answer.Letters[n-lettersShown:]
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) letter(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), lettersTime)
	defer cancel()
	l, err := s.findLetter(ctx, r.PathValue("id"))
	if err != nil {
		writeError(w, err)
		return
	}
	answer := letterOf(l)
	answer.Stack, answer.Codec, answer.Value = redact.Text(l.Stack), l.Codec, valueOf(l)
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) findLetter(ctx context.Context, id string) (dlq.Letter, error) {
	queue, err := s.pipeline.DeadLetters()
	if err != nil {
		return dlq.Letter{}, err
	}
	l, found, err := queue.Get(ctx, id)
	if err == nil && !found {
		err = fmt.Errorf("%w: there is no dead letter %q: it was replayed or discarded meanwhile", errNotFound, id)
	}
	return l, err
}

// valueOf is the value as it can be shown: JSON as such, all else as text.
func valueOf(l dlq.Letter) any {
	value := l.Value
	if len(value) > valueShown {
		return fmt.Sprintf("%d bytes: see %v", len(value), remedy.GetLetter.For(l.ID()))
	}
	switch l.Codec {
	case "cbor", "json":
		if shown, ok := cborjson.Value(l.Codec, value); ok {
			return shown
		}
	case "uint64":
		return decoded[uint64](value)
	case "int64":
		return decoded[int64](value)
	case "float64":
		return decoded[float64](value)
	case "bool":
		return decoded[bool](value)
	}
	if utf8.Valid(value) && !bytes.ContainsFunc(value, isBinary) {
		return string(value)
	}
	return hex.EncodeToString(value)
}

// decoded is text: a number of JavaScript has not all digits.
func decoded[T any](value []byte) string {
	v, err := engine.DefaultCodec[T]().Decode(value)
	if err != nil {
		return hex.EncodeToString(value)
	}
	return fmt.Sprint(v)
}

// isBinary tells characters that text hardly has.
func isBinary(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f }

// changeLetters replays or discards: {"ids": […]}.
func (s *Server) changeLetters(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		IDs []string `json:"ids"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		writeError(w, fmt.Errorf("%w: the body has to be {\"ids\": [\"…\"]}: %w", errBadRequest, err))
		return
	}
	if len(asked.IDs) == 0 || len(asked.IDs) > lettersAtOnce {
		writeError(w, fmt.Errorf("%w: from 1 to %d ids at once", errBadRequest, lettersAtOnce))
		return
	}
	queue, err := s.pipeline.DeadLetters()
	if err != nil {
		writeError(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), lettersTime)
	defer cancel()
	action := r.PathValue("action")
	do := map[string]func(dlq.Letter) error{
		"replay":  func(l dlq.Letter) error { return queue.Replay(ctx, l, dlq.ReplayOptions{}) },
		"discard": func(l dlq.Letter) error { return queue.Discard(ctx, l) },
	}[action]
	if do == nil {
		writeError(w, fmt.Errorf("%w: no action %q: there are replay and discard", errBadRequest, action))
		return
	}
	var failed []error
	for _, id := range asked.IDs {
		l, err := s.findLetter(ctx, id)
		if err == nil {
			err = do(l)
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	s.log.Info("the telemetry was used", "action", action, "letters", len(asked.IDs), "failed", len(failed), "from", r.RemoteAddr)
	if len(failed) > 0 {
		writeError(w, fmt.Errorf("%d of %d: %w", len(failed), len(asked.IDs), errors.Join(failed[:min(len(failed), 3)]...)))
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}
