package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// CanAsk says whether there is a person to ask.
func (a *Invocation) CanAsk() bool {
	return a.Stdin != nil && a.StdinTerminal != nil && a.StdinTerminal()
}

// Question asks on the terminal.
func (a *Invocation) Question(ctx context.Context, text string) (string, error) {
	fmt.Fprint(a.Stderr, text)
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	// Nothing can end the reading of a terminal; after a signal the process
	// ends, and the reading with it.
	go func() {
		text, err := bufio.NewReader(a.Stdin).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		typed <- line{strings.TrimSpace(text), err}
	}()
	select {
	case l := <-typed:
		return l.text, l.err
	case <-ctx.Done():
		fmt.Fprintln(a.Stderr)
		return "", ctx.Err()
	}
}

// PaperWidth is the width of standard output: without a terminal there is none.
func (a *Invocation) PaperWidth() int {
	if a.StdoutTerminal != nil {
		if width, _, yes := a.StdoutTerminal(); yes {
			return width
		}
	}
	return math.MaxInt
}
