package wire

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"penstock/engine/observe"
	"penstock/engine/redact"
)

// WriteEvents writes events in their order, one JSON object a line. Errors come from
// users' code and from servers: they may hold a URL with its password.
func WriteEvents(w io.Writer, events []observe.StageEvent) error {
	out := bufio.NewWriterSize(w, 32<<10)
	for _, e := range events {
		e.Error, e.Stack, e.Detail = redact.Text(e.Error), redact.Text(e.Stack), redact.Text(e.Detail)
		if err := writeEvent(out, e); err != nil {
			return err
		}
	}
	return out.Flush()
}

// writeEvent writes an event as JSON on one line.
func writeEvent(out io.Writer, e observe.StageEvent) error {
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event %d of stage %s: %w", e.Number, e.Stage, err)
	}
	return writeLine(out, data)
}
