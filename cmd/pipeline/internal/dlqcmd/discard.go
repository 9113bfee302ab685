package dlqcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/letters"
	"penstock/dlq"
	"penstock/internal/counted"
)

// dlqDiscardCmd deletes letters.
type dlqDiscardCmd struct {
	Which targetFlags `embed:""`
	Yes   bool        `short:"y" help:"Do not ask."`
}

// Run deletes them.
func (c *dlqDiscardCmd) Run(q *Cmd, a *app.Invocation) error {
	filter, err := c.Which.filter()
	if err != nil {
		return err
	}
	if !c.Yes && !a.CanAsk() {
		return flags.Usage("discarding cannot be undone, and there is no terminal to ask for confirmation: add --yes")
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
		return l.Each(ctx, s, func(dlq.Letter) error { n++; return nil })
	})
	if err != nil || n == 0 {
		return true, err // discarding finds out why there is none
	}
	answer, err := d.Question(ctx, fmt.Sprintf("Discard %s of pipeline %s for good? [y/N] ", counted.Things(n, "dead letter"), name))
	if err != nil {
		return false, err
	}
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return false, errors.New("nothing was discarded")
	}
	return true, nil
}

func discard(ctx context.Context, a *app.Invocation, l letterStore, f dlq.Filter) error {
	n, missing := 0, newMissing(f.IDs)
	err := l.Discard(ctx, f, func(o letters.Outcome) error {
		n++
		missing.seen(o.ID)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w (%s discarded before that)", err, counted.Things(n, "dead letter"))
	}
	if n == 0 && len(f.IDs) == 0 {
		if err := none(ctx, a, l, f); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.Stdout, "discarded "+counted.Things(n, "dead letter"))
	return missing.err(a, l, f)
}
