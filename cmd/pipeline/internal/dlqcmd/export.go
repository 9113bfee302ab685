package dlqcmd

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/letters"
	"penstock/dlq"
	"penstock/internal/counted"
	"penstock/internal/userfile"
)

// dlqExportCmd writes letters for import.
type dlqExportCmd struct {
	By     filterFlags `embed:""`
	Output flags.Path  `short:"o" default:"-" placeholder:"FILE" help:"Write to this file. An existing file is replaced once everything is written; - is standard output. Default: -."`
}

// Run writes them.
func (c *dlqExportCmd) Run(q *Cmd, a *app.Invocation) error {
	s := letters.Select(c.By.filter(), letters.ByTime)
	return q.do(a, "export", func(ctx context.Context, d *dlqAccess) error {
		return d.read(ctx, func(l letterStore) error {
			n, unreadable := 0, 0
			err := writeTo(a.Stdout, string(c.Output), func(w io.Writer) (err error) {
				n, unreadable, err = export(ctx, l, s, w)
				return err
			})
			if err == nil && n == 0 {
				err = none(ctx, a, l, s.Filter)
			}
			if err == nil {
				fmt.Fprintln(a.Stderr, "exported "+counted.Things(n, "dead letter"))
			}
			if err == nil && unreadable > 0 {
				fmt.Fprintf(a.Stderr, "%s: left out %s that cannot be read: see %[1]s dlq list --reason unreadable\n", a.Name(), counted.Things(unreadable, "message"))
			}
			return err
		})
	})
}

// export writes the letters as they are, passwords in errors included. What
// cannot be read it counts: no import would take that.
func export(ctx context.Context, l letterStore, s letters.Request, w io.Writer) (n, unreadable int, err error) {
	out := bufio.NewWriterSize(w, 32<<10)
	err = l.Each(ctx, s, func(letter dlq.Letter) error {
		if letter.Unreadable {
			unreadable++
			return nil
		}
		n++
		return WriteLetter(out, letter)
	})
	if err != nil {
		return n, unreadable, err
	}
	return n, unreadable, out.Flush()
}

// writeTo lets fn write a file, with a mode for the user alone: values may be
// private. - is stdout.
func writeTo(stdout io.Writer, path string, fn func(io.Writer) error) error {
	if path == "-" {
		return fn(stdout)
	}
	return userfile.WritePrivate(path, fn)
}
