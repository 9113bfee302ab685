package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/letters"
	"penstock/cmd/pipeline/internal/render"
	"penstock/dlq"
)

// dlqDiscardCmd deletes letters.
type dlqDiscardCmd struct {
	Which targetFlags `embed:""`
	Yes   bool        `short:"y" help:"Do not ask."`
}

// Run deletes them.
func (c *dlqDiscardCmd) Run(q *dlqCmd, a *app) error {
	filter, err := c.Which.filter()
	if err != nil {
		return err
	}
	if !c.Yes && !a.canAsk() {
		return flags.Usage("discarding is for good, and without a terminal nobody can be asked: add --yes")
	}
	return q.do(a, "discard", func(ctx context.Context, d *dlqAccess) error {
		if !c.Yes {
			sure, err := c.ask(ctx, d, &filter)
			if err != nil || !sure {
				return err
			}
		}
		return d.with(ctx, func(l letterStore) error { return discard(ctx, a, l, filter) })
	})
}

// ask counts and asks. Nothing is locked meanwhile, and what is written from
// now on is not meant.
func (c *dlqDiscardCmd) ask(ctx context.Context, d *dlqAccess, filter *dlq.Filter) (sure bool, err error) {
	if now := time.Now(); filter.Until.IsZero() || now.Before(filter.Until) {
		filter.Until = now
	}
	n, name := 0, ""
	err = d.read(ctx, func(l letterStore) error {
		name, _ = l.about()
		s := letters.Select(*filter, letters.ByTime)
		s.WithoutValues = true
		return l.each(ctx, s, func(dlq.Letter) error { n++; return nil })
	})
	if err != nil || n == 0 {
		return true, err // discarding finds out why there is none
	}
	answer, err := d.question(ctx, fmt.Sprintf("Discard %s of pipeline %s for good? [y/N] ", render.Plural(n, "dead letter"), name))
	if err != nil {
		return false, err
	}
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return false, errors.New("nothing was discarded")
	}
	return true, nil
}

func discard(ctx context.Context, a *app, l letterStore, f dlq.Filter) error {
	n, missing := 0, newMissing(f.IDs)
	err := l.discard(ctx, f, func(o letters.Outcome) error {
		n++
		missing.seen(o.ID)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w (%s discarded before that)", err, render.Plural(n, "dead letter"))
	}
	if n == 0 && len(f.IDs) == 0 {
		if err := none(ctx, a, l, f); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.stdout, "discarded "+render.Plural(n, "dead letter"))
	return missing.err(a, l, f)
}

// canAsk says whether there is a person to ask.
func (a *app) canAsk() bool {
	return a.stdin != nil && a.stdinTerminal != nil && a.stdinTerminal()
}

// question asks on the terminal.
func (a *app) question(ctx context.Context, text string) (string, error) {
	fmt.Fprint(a.stderr, text)
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	// Nothing can end the reading of a terminal; after a signal the process
	// ends, and the reading with it.
	go func() {
		text, err := bufio.NewReader(a.stdin).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		typed <- line{strings.TrimSpace(text), err}
	}()
	select {
	case l := <-typed:
		return l.text, l.err
	case <-ctx.Done():
		fmt.Fprintln(a.stderr)
		return "", ctx.Err()
	}
}
