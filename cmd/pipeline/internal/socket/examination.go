package socket

import (
	"context"
	"encoding/json"
	"net/http"

	"penstock/engine/doctor"
)

// Examination asks the running pipeline.
func (c Client) Examination(ctx context.Context) (*doctor.Examination, error) {
	answer, err := c.get(ctx, "/v1/examination")
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	var found doctor.Examination
	if err := decodeWhole(answer.Body, &found); err != nil {
		return nil, err
	}
	return &found, nil
}

// examination answers with what is found beside the running stages.
func (c *Server) examination(w http.ResponseWriter, r *http.Request) {
	found, err := c.pipeline.Examine(r.Context())
	if err != nil {
		http.Error(w, c.hints.Explain(err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(&patient{ResponseWriter: w}).Encode(found); err != nil {
		c.log.Debug("an answer on the control socket was cut off", "error", err)
	}
}
