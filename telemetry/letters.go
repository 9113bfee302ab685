package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"penstock/dlq"
)

// Bounds of what is asked about dead letters at once.
const (
	lettersShown  = 500
	lettersAtOnce = 1000
	valueShown    = 256 << 10
	lettersTime   = 20 * time.Second
)

// Letters is the answer about all of them.
type Letters struct {
	Count uint64 `json:"count"`
	// Letters are the newest, without values, stacks, chains and earlier rounds, and
	// with no more of their attempts than the number.
	Letters []dlq.Letter `json:"letters"`
}

// brief is a letter in a list.
func brief(l dlq.Letter) dlq.Letter {
	l.AttemptsOmitted += len(l.Attempts)
	l.Attempts, l.Stack, l.Chain, l.History = nil, "", nil, nil
	return l.Redacted()
}

func (s *Server) letters(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), lettersTime)
	defer cancel()
	queue, err := s.pipeline.DeadLetters()
	if err != nil {
		writeError(w, err)
		return
	}
	answer := Letters{Letters: []dlq.Letter{}}
	if answer.Count, err = queue.Count(ctx); err != nil {
		writeError(w, err)
		return
	}
	err = queue.Select(ctx, dlq.Filter{WithoutValues: true, Unreadable: true}, func(l dlq.Letter) error {
		if answer.Letters = append(answer.Letters, brief(l)); len(answer.Letters) > 2*lettersShown {
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
	if l.ValueBytes = len(l.Value); l.ValueBytes > valueShown {
		l.Value, l.Original, l.ValueOmitted = nil, nil, true
	}
	if len(l.Original) > valueShown {
		l.Original = nil
	}
	writeJSON(w, http.StatusOK, l.Redacted())
}

func (s *Server) findLetter(ctx context.Context, id string) (dlq.Letter, error) {
	queue, err := s.pipeline.DeadLetters()
	if err != nil {
		return dlq.Letter{}, err
	}
	l, found, err := queue.Get(ctx, id)
	if err == nil && !found {
		err = fmt.Errorf("%w: there is no dead letter %q: it may have been replayed or discarded", errNotFound, id)
	}
	return l, err
}

// changeLetters replays or discards: {"ids": […]}.
func (s *Server) changeLetters(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		IDs []string `json:"ids"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		writeError(w, fmt.Errorf("%w: the body must be {\"ids\": [\"…\"]}: %w", errBadRequest, err))
		return
	}
	if len(asked.IDs) == 0 || len(asked.IDs) > lettersAtOnce {
		writeError(w, fmt.Errorf("%w: give from 1 to %d ids", errBadRequest, lettersAtOnce))
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
		writeError(w, fmt.Errorf("%w: unknown action %q: use replay or discard", errBadRequest, action))
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
	s.log.Info("an action was requested over HTTP", "action", action, "letters", len(asked.IDs), "failed", len(failed), "from", r.RemoteAddr)
	if len(failed) > 0 {
		writeError(w, fmt.Errorf("%d of %d: %w", len(failed), len(asked.IDs), errors.Join(failed[:min(len(failed), 3)]...)))
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}
