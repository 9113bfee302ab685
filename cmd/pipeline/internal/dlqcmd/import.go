package dlqcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/letters"
	"penstock/cmd/pipeline/internal/render"
	"penstock/dlq"
	"penstock/engine/redact"
	"penstock/internal/counted"
	"penstock/internal/userfile"
)

// dlqImportCmd reads letters back.
type dlqImportCmd struct {
	File  flags.Path `arg:"" help:"What export wrote; - is standard input."`
	Force bool       `help:"Also dead letters that were replayed or discarded here, and those of another run: to replay them makes their effect again."`
}

// Run reads them.
func (c *dlqImportCmd) Run(q *Cmd, a *app.Invocation) error {
	return q.do(a, "import", func(ctx context.Context, d *dlqAccess) error {
		input := a.Stdin
		if c.File != "-" {
			file, err := userfile.Open(string(c.File))
			if err != nil {
				return err
			}
			defer file.Close()
			input = file
		}
		if input == nil {
			input = strings.NewReader("")
		}
		return d.with(ctx, func(l letterStore) error {
			n, err := l.Load(ctx, input, c.Force, func(r letters.Refusal) error {
				_, err := fmt.Fprintf(a.Stderr, "%s: line %d, %s, is refused: %s\n", a.Name(), r.Line, render.Escape(r.ID), render.Escape(redact.Text(r.Error)))
				return err
			})
			if err != nil {
				return fmt.Errorf("%w (%s imported before that; %s the same command again imports the rest)", err, counted.Things(n.Stored, "dead letter"), first(err))
			}
			fmt.Fprintln(a.Stdout, importText(n))
			if n.Refused > 0 {
				return fmt.Errorf("%s refused", counted.Things(n.Refused, "dead letter"))
			}
			return nil
		})
	})
}

// first is what comes before the same command again.
func first(err error) string {
	if errors.Is(err, dlq.ErrInvalid) {
		return "mend or remove that line, then"
	}
	return "mend the cause, then"
}

func importText(n dlq.Imported) string {
	text := "imported " + counted.Things(n.Stored, "dead letter")
	for _, other := range []struct {
		n    int
		what string
	}{{n.There, "already there"}, {n.Refused, "refused"}} {
		if other.n > 0 {
			text += fmt.Sprintf("; %s%s %s", counted.Number(other.n), verb(other.n, " was", " were"), other.what)
		}
	}
	return text
}

func verb(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
