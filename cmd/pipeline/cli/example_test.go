package cli_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"penstock/cmd/pipeline/cli"
	"penstock/engine"
)

// squares are the flags of `run squares`.
type squares struct {
	Numbers cli.Count `default:"3" help:"How many numbers."`
}

// Pipeline makes it of what the command line says.
func (s *squares) Pipeline() (*engine.Pipeline, error) {
	p := engine.New("squares")
	numbers := engine.Source(p, "numbers", func(_ context.Context, last *uint64, emit engine.Emit[uint64]) error {
		if *last == uint64(s.Numbers) {
			return io.EOF
		}
		*last++
		emit(*last)
		return nil
	})
	engine.Sink(p, "sum", numbers, func(_ context.Context, sum *uint64, m engine.Message[uint64]) error {
		*sum += m.Value * m.Value
		return nil
	})
	return p, nil
}

// declare is what main gives to cli.Main: func main() { cli.Main(declare) }
func declare(app *cli.App) {
	app.Name = "squares"
	app.Add("squares", "Add up squares.", &squares{})
}

// A test calls a program as its user does, and gets the exit code.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "squares")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	fmt.Println(cli.Run(declare, []string{"run", "--numbers=5", "--telemetry=off", "--log-level=error", "--dir", dir}, os.Stdout, os.Stderr))
	cli.Run(declare, []string{"state", "sum", "--dir", dir}, os.Stdout, os.Stderr)
	fmt.Println(cli.Run(declare, []string{"run", "--numbers=none"}, os.Stdout, os.Stdout))
	// Output:
	// 0
	// 55
	// squares: --numbers: "none" is not a whole number of 1 or more
	// Try: squares run --help
	// 2
}

// A program that runs its pipeline itself serves the control socket by one call.
func ExampleWithControl() {
	dir, err := os.MkdirTemp("", "squares")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	p, err := (&squares{Numbers: 4}).Pipeline()
	if err != nil {
		panic(err)
	}
	config := engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}
	if err := p.Run(context.Background(), cli.WithControl(p, config)); err != nil {
		panic(err)
	}
	// While it runs, and afterwards: pipeline state sum --dir DIR
	cli.Run(declare, []string{"state", "sum", "--dir", dir}, os.Stdout, os.Stderr)
	// Output:
	// 30
}
