package cli

import (
	"net/http"

	"penstock/engine"
)

// events answers with the history of a stage, one JSON object a line.
func (c *control) events(w http.ResponseWriter, r *http.Request) {
	events, err := c.pipeline.History(r.PathValue("stage"))
	c.answerEvents(w, events, err)
}

// allEvents does so for all stages.
func (c *control) allEvents(w http.ResponseWriter, _ *http.Request) {
	var stages []string
	for _, stage := range c.pipeline.Status().Stages {
		stages = append(stages, stage.Name)
	}
	events, err := allEvents(stages, c.pipeline.History)
	c.answerEvents(w, events, err)
}

func (c *control) answerEvents(w http.ResponseWriter, events []engine.StageEvent, err error) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := &patient{ResponseWriter: w}
	if err == nil {
		err = eventsJSON.write(out, events)
	}
	c.end(w, out, err)
}
