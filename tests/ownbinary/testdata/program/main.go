// Command ownbinary is a program of a user of Penstock, in a module of its own: its
// pipelines, its flags, and all the verbs of the command.
package main

import (
	"context"
	"errors"
	"io"

	"penstock/cmd/pipeline/cli"
	"penstock/engine"
)

func main() {
	cli.Main(func(app *cli.App) {
		app.Description = "Sums of squares."
		app.Add("squares", "Add up squares.", &squares{})
		app.AddFunc("one", "The number one.", func() (*engine.Pipeline, error) { return pipeline("one", &squares{Numbers: 1}), nil })
	})
}

// squares are the flags of a run.
type squares struct {
	Numbers cli.Count `default:"3" help:"How many numbers."`
	Halt    cli.Count `help:"Wait after this number until a signal comes."`
}

// Pipeline makes it of what the command line says.
func (s *squares) Pipeline() (*engine.Pipeline, error) { return pipeline("squares", s), nil }

// Decisive is what a run that was interrupted does not go on with another of.
func (s *squares) Decisive() []cli.Argument {
	return []cli.Argument{{Name: "--numbers", Value: s.Numbers}}
}

func pipeline(name string, flags *squares) *engine.Pipeline {
	p := engine.New(name)
	numbers := engine.Source(p, "numbers", func(ctx context.Context, last *uint64, emit engine.Emit[uint64]) error {
		switch *last {
		case uint64(flags.Numbers):
			return io.EOF
		case uint64(flags.Halt):
			if flags.Halt > 0 {
				<-ctx.Done()
				return ctx.Err()
			}
		}
		*last++
		emit(*last)
		return nil
	})
	engine.Sink(p, "sum", numbers, func(_ context.Context, sum *uint64, m engine.Message[uint64]) error {
		if m.Value == 13 {
			return engine.Reject(errors.New("unlucky"))
		}
		*sum += m.Value * m.Value
		return nil
	})
	return p
}
