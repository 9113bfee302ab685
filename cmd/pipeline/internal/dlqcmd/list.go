package dlqcmd

import (
	"bufio"
	"context"
	"fmt"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/letters"
	"penstock/dlq"
	"penstock/internal/counted"
)

// dlqListCmd lists letters.
type dlqListCmd struct {
	By       filterFlags `embed:""`
	JSON     bool        `name:"json" help:"Print each as one line of JSON, with all fields."`
	NoValues bool        `help:"With --json: without the values, which is faster."`
}

// Run lists them.
func (c *dlqListCmd) Run(q *Cmd, a *app.Invocation) error {
	if c.NoValues && !c.JSON {
		return flags.Usage("--no-values needs --json: the table shows no values")
	}
	s := letters.Select(c.By.filter(), letters.ByTime)
	s.WithoutValues = c.NoValues || !c.JSON
	return q.do(a, "list", func(ctx context.Context, d *dlqAccess) error {
		return d.read(ctx, func(l letterStore) error {
			n, err := list(ctx, a, l, s, c.JSON)
			if err != nil {
				return err
			}
			if n == 0 {
				err = none(ctx, a, l, s.Filter)
			}
			if err == nil {
				fmt.Fprintln(a.Stderr, counted.Things(n, "dead letter"))
			}
			return err
		})
	})
}

// list writes the letters that are selected, and returns how many. What was
// listed before an error is written all the same.
func list(ctx context.Context, a *app.Invocation, l letterStore, s letters.Request, asJSON bool) (n int, err error) {
	show, flush := lister(a, asJSON)
	err = l.Each(ctx, s, func(letter dlq.Letter) error {
		n++
		return show(letter)
	})
	if flushed := flush(); err == nil {
		err = flushed
	}
	return n, err
}

// lister writes letters to standard output, as JSON or as a table.
func lister(a *app.Invocation, asJSON bool) (show func(dlq.Letter) error, flush func() error) {
	if asJSON {
		out := bufio.NewWriterSize(a.Stdout, 32<<10)
		return func(l dlq.Letter) error { return WriteLetter(out, l.Redacted()) }, out.Flush
	}
	table := newLettersTable(a.Stdout, a.PaperWidth())
	return table.add, table.flush
}
