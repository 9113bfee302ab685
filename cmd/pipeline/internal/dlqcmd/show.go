package dlqcmd

import (
	"context"
	"fmt"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/dlq"
)

// dlqShowCmd shows a letter.
type dlqShowCmd struct {
	ID   letterID `arg:"" name:"ID" help:"The ID of the letter, as ${program} dlq list shows it: worker.0:generator.0:33."`
	Full bool     `help:"Show the whole value, of any length."`
	JSON bool     `name:"json" help:"Print one JSON object."`
	Raw  bool     `help:"Write only the bytes of the value, unescaped: not for a terminal."`
}

// Run shows it.
func (c *dlqShowCmd) Run(q *Cmd, a *app.Invocation) error {
	if c.Raw && (c.JSON || c.Full) || c.JSON && c.Full {
		return flags.Usage("--raw, --json and --full exclude each other: give one")
	}
	return q.do(a, "show", func(ctx context.Context, d *dlqAccess) error {
		var letter dlq.Letter
		err := d.read(ctx, func(l letterStore) (err error) {
			letter, err = find(ctx, a, l, string(c.ID))
			return err
		})
		if err != nil {
			return err
		}
		switch {
		case c.Raw:
			_, err = a.Stdout.Write(letter.Value)
		case c.JSON:
			err = WriteLetter(a.Stdout, letter.Redacted())
		default:
			err = letterView{letter: letter.Redacted(), full: c.Full}.write(a.Stdout)
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		return nil
	})
}
