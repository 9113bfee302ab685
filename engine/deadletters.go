package engine

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"penstock/dlq"
)

// DeadLetters returns the dead letters of the running pipeline, to list,
// replay or discard them. It is of use until the run ends. Safe for concurrent
// use.
func (p *Pipeline) DeadLetters() (*dlq.Queue, error) {
	r, err := p.serving()
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	return r.queue, nil
}

// DeadLetters is Pipeline.DeadLetters for a pipeline that is not running. It
// returns false when there are none on the server, because the pipeline never
// ran there. It is of use until Close.
func (i *Inspector) DeadLetters(ctx context.Context) (*dlq.Queue, bool, error) {
	return dlq.Lookup(ctx, i.broker.JetStream(), i.pipeline)
}

// showLetter is the command that shows a letter, for logs.
func (r *run) showLetter(id string) string {
	return "pipeline dlq show " + id + " --dir " + shellWord(r.config.Dir)
}

// shellWord quotes a path for commands that people copy from a log.
func shellWord(path string) string {
	if strings.ContainsFunc(path, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("/._-+:\\", c)
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
