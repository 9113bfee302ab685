package dlqcmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/internal/counted"
	"penstock/internal/userfile"
)

// dlqImportCmd reads letters back.
type dlqImportCmd struct {
	File flags.Path `arg:"" help:"What export wrote; - is standard input."`
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
		lines := &letterCounter{r: input}
		return d.with(ctx, func(l letterStore) error {
			n, err := l.Load(ctx, lines)
			if err != nil {
				return fmt.Errorf("%w (%s imported before that; the same command again imports the rest)", err, counted.Things(n, "dead letter"))
			}
			text := "imported " + counted.Things(n, "dead letter")
			if there := lines.letters - n; there > 0 {
				text += fmt.Sprintf("; %s already there", counted.Number(there)+verb(there, " was", " were"))
			}
			fmt.Fprintln(a.Stdout, text)
			return nil
		})
	})
}

func verb(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// letterCounter counts the lines that are not empty.
type letterCounter struct {
	r       io.Reader
	letters int
	inLine  bool
}

func (c *letterCounter) Read(data []byte) (int, error) {
	n, err := c.r.Read(data)
	for _, b := range data[:n] {
		switch b {
		case '\n':
			c.inLine = false
		case ' ', '\t', '\r':
		default:
			if !c.inLine {
				c.letters++
			}
			c.inLine = true
		}
	}
	return n, err
}
