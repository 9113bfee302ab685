package telemetry

import (
	"context"
	"net/http"

	"penstock/engine/observe"
	"penstock/engine/remedy"
)

// peek answers with the newest messages of a stream, if the configuration lets
// them be shown.
func (s *Server) peek(w http.ResponseWriter, r *http.Request) {
	if s.config.Peek <= 0 {
		writeError(w, remedy.As(remedy.Errorf("%w: messages may be confidential and are shown only with %v", errNotFound, SetPeek), s.config.Words))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), lettersTime)
	defer cancel()
	list, err := s.pipeline.Peek(ctx, r.PathValue("stream"), s.config.Peek)
	if err != nil {
		writeError(w, err)
		return
	}
	if list == nil {
		list = []observe.Message{}
	}
	writeJSON(w, http.StatusOK, list)
}
