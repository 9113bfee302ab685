package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"penstock/dlq"
)

// dlqExportCmd writes letters for import.
type dlqExportCmd struct {
	By     filterFlags `embed:""`
	Output path        `short:"o" default:"-" placeholder:"FILE" help:"Write to this file, which is replaced when everything is written; - is standard output. Default: -."`
}

// Run writes them.
func (c *dlqExportCmd) Run(q *dlqCmd, a *app) error {
	s := selection{Filter: c.By.filter(), Order: byTime}
	return q.do(a, "export", func(ctx context.Context, d *dlqAccess) error {
		return d.read(ctx, func(l letters) error {
			n, unreadable := 0, 0
			err := writeTo(a.stdout, string(c.Output), func(w io.Writer) (err error) {
				n, unreadable, err = export(ctx, l, s, w)
				return err
			})
			if err == nil && n == 0 {
				err = none(ctx, a, l, s.Filter)
			}
			if err == nil {
				fmt.Fprintln(a.stderr, "exported "+plural(n, "dead letter"))
			}
			if err == nil && unreadable > 0 {
				fmt.Fprintf(a.stderr, "pipeline: left out %s that cannot be read: see pipeline dlq list --reason unreadable\n", plural(unreadable, "message"))
			}
			return err
		})
	})
}

// export writes the letters as they are, passwords in errors included. What
// cannot be read it counts: no import would take that.
func export(ctx context.Context, l letters, s selection, w io.Writer) (n, unreadable int, err error) {
	out := bufio.NewWriterSize(w, 32<<10)
	err = l.each(ctx, s, func(letter dlq.Letter) error {
		if letter.Unreadable {
			unreadable++
			return nil
		}
		n++
		return writeLetter(out, letter)
	})
	if err != nil {
		return n, unreadable, err
	}
	return n, unreadable, out.Flush()
}

// writeTo lets fn write a file, which is replaced when fn has succeeded. What
// is no regular file, such as a pipe, is written to; - is stdout.
func writeTo(stdout io.Writer, path string, fn func(io.Writer) error) (err error) {
	if path == "-" {
		return fn(stdout)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(fn(file), file.Close())
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // with mode 0600: values may be private
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if err := fn(file); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
