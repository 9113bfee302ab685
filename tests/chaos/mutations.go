//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// mutation is a rule of the protocol that is taken away, with the faults that it is there for. A campaign of all faults
// notices it too, but needs more cycles.
type mutation struct{ rule, faults string }

var allMutations = []mutation{
	{"position-check", "kill-point,kill,broker-kill"},
	{"base-offset-check", "stream-purge-off,stream-purge-off+kill"},
	{"fencing", "owner"},
	{"trim-bound", "kill,kill-point,broker-kill"},
}

// noticed is how a missing rule was noticed.
type noticed struct {
	rule   string
	cycles int // 0: it was not
	ordeal string
	what   string
	took   time.Duration
}

// mutations takes each rule away in turn, and prints how many cycles it took to notice.
func (c *campaign) mutations(ctx context.Context) (int, error) {
	if !removable {
		return 2, errors.New("this build has all rules in force: build with -tags penstock_mutation")
	}
	table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(table, "seed %d, commit %s\nwithout\tcycles\ttime\tfault\tnoticed by\n", c.seed, commit())
	code := 0
	for _, m := range allMutations {
		n, err := c.mutate(ctx, m)
		if err != nil {
			return 2, err
		}
		if n.cycles == 0 {
			code = 1
			fmt.Fprintf(table, "%s\tnot noticed in %d\t%v\t\t\n", n.rule, c.cycles, n.took.Round(time.Second))
			continue
		}
		fmt.Fprintf(table, "%s\t%d\t%v\t%s\t%s\n", n.rule, n.cycles, n.took.Round(100*time.Millisecond), n.ordeal, n.what)
	}
	return code, table.Flush()
}

// mutate goes through cycles until one is violated, which with every rule in force must not be.
func (c *campaign) mutate(ctx context.Context, m mutation) (noticed, error) {
	began := time.Now()
	without, with := *c, *c
	without.env = []string{"PENSTOCK_WITHOUT=" + m.rule}
	if c.faults == "all" {
		var err error
		if without.ordeals, err = ordeals(m.faults); err != nil {
			return noticed{}, err
		}
		with.ordeals = without.ordeals
	}
	for n := range c.cycles {
		if ctx.Err() != nil {
			break
		}
		what := without.violation(n)
		if what == "" {
			continue
		}
		took := time.Since(began)
		if same := with.violation(n); same != "" {
			return noticed{}, fmt.Errorf("cycle %d is violated with every rule in force: %s", n, same)
		}
		return noticed{m.rule, n + 1, without.ordeals[n%len(without.ordeals)].String(), what, took}, nil
	}
	return noticed{rule: m.rule, took: time.Since(began)}, nil
}

// violation is what is wrong with a cycle, or "". That its result cannot even be read is wrong, too.
func (c *campaign) violation(n int) string {
	y, err := c.doCycle(n)
	switch {
	case err != nil:
		return shorten(err.Error())
	case len(y.Findings) > 0:
		return shorten(y.Findings[0].String())
	}
	return ""
}

func shorten(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > 140 {
		text = text[:140] + " …"
	}
	return text
}
