//go:build unix

package crash

import (
	"fmt"
	"os"
	"strings"

	"penstock/dlq"
	"penstock/engine/broker"
	"penstock/engine/faultpoint"
	"penstock/tests/crash/poison"
)

// dieAt runs the pipeline to a place, which it must reach.
func (c *campaign) dieAt(p place, passage int) {
	c.Helper()
	victim := c.begin(nil, fmt.Sprintf("%s=%s:%d", faultpoint.Variable, at(p), passage))
	if result := victim.wait(c.T); result != killed {
		c.Fatalf("%s was not reached: %v\n%s", at(p), result, victim.Story())
	}
	c.kills[p.point]++
}

// goOn has a run come to its end that was interrupted: one that starts anew would prove nothing.
func (c *campaign) goOn() {
	c.Helper()
	if !c.isDone() {
		c.complete()
	}
	c.must(c.workload.check(c.T, c.site))
}

// isDone says whether everything is as it must be, and nothing waits. The next run would start anew.
func (c *campaign) isDone() bool {
	c.Helper()
	return c.workload.check(c.T, c.site) == nil && c.requests() == 0
}

// complete runs the pipeline to its end.
func (c *campaign) complete() {
	c.Helper()
	anew := false
	victim := c.begin(func(_ *victim, line string) { anew = anew || strings.Contains(line, "starting from the beginning") })
	if result := victim.wait(c.T); result != completed {
		c.Fatalf("%v: %s\n%s", result, victim.reason(), victim.Story())
	}
	if anew {
		c.Fatalf("the run started anew\n%s", victim.Story())
	}
	c.completed++
}

// requests counts the replays that are asked for.
func (c *campaign) requests() (n int) {
	c.Helper()
	c.must(c.withLetters(func(q *dlq.Queue) error {
		waiting, err := q.PendingReplays(c.Context())
		for _, of := range waiting {
			n += int(of)
		}
		return err
	}))
	return n
}

// withLetters opens the dead letters while nothing runs.
func (c *campaign) withLetters(use func(*dlq.Queue) error) error {
	return c.site.withBroker(c.Context(), func(b *broker.Broker) error {
		queue, found, err := dlq.Lookup(c.Context(), b.JetStream(), poison.Name)
		if err != nil || !found {
			return err
		}
		return use(queue)
	})
}

// checkRound looks that every message that failed is there once, in this round.
func (c *campaign) checkRound(killer poison.Killer, round int) {
	c.Helper()
	letters, err := c.site.letters(c.Context(), poison.Name)
	c.must(err)
	seen := map[string]bool{}
	for _, l := range letters {
		seen[l.ID()] = true
		if l.Round != round {
			c.Errorf("%s is of round %d, want %d", l.ID(), l.Round, round)
		}
		if l.Stage == killer.Stage && l.Value != nil && (l.Reason == dlq.ReasonKilled) != (number(l) == killer.Number) {
			c.Errorf("%s: reason %s", l.ID(), l.Reason)
		}
	}
	want := 2 * len(poison.Stages)
	if killer.Stage != "" {
		want++
	}
	if len(seen) != want || len(letters) != len(seen) {
		c.Errorf("%d letters, want %d", len(letters), want)
	}
}

func number(l dlq.Letter) uint64 {
	n, _ := poison.Number(l.Value)
	return n
}

// ask asks for a replay of every letter, in a process of its own, while the pipeline does not run.
func (c *campaign) ask(watch func(*victim, string)) end {
	c.Helper()
	asker := start(c.T, order{binary: c.binary, args: []string{"ask", "-dir", c.site.data(), "-url", c.site.url}, watch: watch})
	result := asker.wait(c.T)
	if result == failed {
		c.Fatalf("ask: %s\n%s", asker.reason(), asker.Story())
	}
	return result
}

// copyOf goes on in a copy of a place.
func (c *campaign) copyOf(s site) {
	c.Helper()
	c.site = site{root: c.TempDir(), url: s.url}
	c.must(os.CopyFS(c.site.root, os.DirFS(s.root)))
}

func (c *campaign) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}
