package letters

import (
	"context"
	"io"

	"penstock/dlq"
)

// Refusal is a letter that an import did not take.
type Refusal struct {
	Line  int    `json:"line"`
	ID    string `json:"id"`
	Error string `json:"error"`
}

// Import puts exported letters, and tells of each that is refused, with its error in the words of explain.
func Import(ctx context.Context, q *dlq.Queue, r io.Reader, force bool, explain func(error) string, told func(Refusal) error) (dlq.Imported, error) {
	return q.Import(ctx, r, dlq.ImportOptions{Force: force, Refused: func(line int, l dlq.Letter, err error) error {
		return told(Refusal{line, l.ID(), explain(err)})
	}})
}
