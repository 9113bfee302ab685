package telemetry

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/redact"
	"penstock/engine/supervise"
	"penstock/telemetry/drawing"
	"penstock/telemetry/internal/web"
)

// writeJSON answers with a value.
func writeJSON(w http.ResponseWriter, code int, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "encode the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(web.WriteTime))
	w.WriteHeader(code)
	_, _ = w.Write(append(data, '\n'))
}

// writeList answers with a long list, without holding all of its text.
func writeList[T any](w http.ResponseWriter, list []T) {
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriter(w)
	one, separator := json.NewEncoder(out), byte('[')
	for k := range list {
		err := out.WriteByte(separator)
		if err = errors.Join(err, one.Encode(&list[k])); err != nil {
			panic(http.ErrAbortHandler) // who asked must not take it for whole
		}
		separator = ','
	}
	if len(list) == 0 {
		_ = out.WriteByte(separator)
	}
	_ = out.WriteByte(']')
	_ = out.Flush()
}

// failure is the answer to what could not be done.
type failure struct {
	Error string `json:"error"`
}

func writeError(w http.ResponseWriter, err error) {
	code, tooLarge := http.StatusInternalServerError, new(http.MaxBytesError)
	switch {
	case errors.Is(err, engine.ErrNoState), errors.Is(err, supervise.ErrNoChild), errors.Is(err, errNotFound):
		code = http.StatusNotFound
	case errors.As(err, &tooLarge):
		code = http.StatusRequestEntityTooLarge
	case errors.Is(err, errBadRequest), errors.Is(err, dlq.ErrInvalid):
		code = http.StatusBadRequest
	case errors.Is(err, dlq.ErrStale), errors.Is(err, dlq.ErrPending), errors.Is(err, dlq.ErrRounds):
		code = http.StatusConflict
	case errors.Is(err, drawing.ErrNoGraphviz):
		code = http.StatusNotImplemented
	case errors.Is(err, context.DeadlineExceeded):
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, failure{redact.Text(err.Error())})
}

var (
	errBadRequest = errors.New("bad request")
	errNotFound   = errors.New("not found")
)
