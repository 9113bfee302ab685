package socket

import (
	"net/http"

	"penstock/cmd/pipeline/internal/wire"
	"penstock/engine/observe"
)

// events answers with the history of a stage, one JSON object a line.
func (c *Server) events(w http.ResponseWriter, r *http.Request) {
	events, err := c.pipeline.History(r.PathValue("stage"))
	c.answerEvents(w, events, err)
}

// allEvents does so for all stages.
func (c *Server) allEvents(w http.ResponseWriter, _ *http.Request) {
	var stages []string
	for _, stage := range c.pipeline.Status().Stages {
		stages = append(stages, stage.Name)
	}
	events, err := wire.AllEvents(stages, c.pipeline.History)
	c.answerEvents(w, events, err)
}

func (c *Server) answerEvents(w http.ResponseWriter, events []observe.StageEvent, err error) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := &patient{ResponseWriter: w}
	if err == nil {
		err = wire.WriteEvents(out, events)
	}
	c.end(w, out, err)
}
