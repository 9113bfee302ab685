//go:build unix

package crash

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine/broker"
	"penstock/engine/faultpoint"
	"penstock/tests/crash/ledger"
)

// The oracle is worth something only if it notices what the rules of the protocol prevent. Each rule has a scenario that
// ends as it should with the rule and is noticed without it.
func TestOracleNoticesEveryMissingRule(t *testing.T) {
	t.Parallel()
	for _, m := range []struct {
		rule     string
		scenario func(c *campaign) error // nil: as it should be
		noticed  string                  // by what, a pattern
	}{
		{"position-check", killBeforeAck, `audit: entry \d+ is posting|tally: \{|lost its end|messages are missing|come to an end`},
		{"trim-bound", killLaggingReader, `messages are missing|frames between are trimmed|tally: \{`},
		{"base-offset-check", purgeUnread, `not refused: tally: \{|not refused: the run does not come to an end`},
		{"fencing", func(c *campaign) error { return takeOver(c, freshDirectory) }, `the first owner did not end as it should|the second owner failed|channel of \w+: sequence`},
	} {
		t.Run(m.rule, func(t *testing.T) {
			t.Parallel()
			t.Run("in force", func(t *testing.T) {
				t.Parallel()
				if err := m.scenario(mutable(t, "")); err != nil {
					t.Errorf("with every rule in force: %v", err)
				}
			})
			t.Run("disabled", func(t *testing.T) {
				t.Parallel()
				err := m.scenario(mutable(t, m.rule))
				if err == nil {
					t.Fatalf("without the rule %s nothing was noticed", m.rule)
				}
				if !regexp.MustCompile(m.noticed).MatchString(err.Error()) {
					t.Errorf("it failed for another reason than %s", m.noticed)
				}
				t.Logf("noticed: %.400v", err)
			})
		})
	}
}

// mutable is a ledger in the build that can do without a rule. Its frames are small and its tally is slow, so that there are
// always many frames that the tally has not read.
func mutable(t *testing.T, without string) *campaign {
	t.Helper()
	c := newCampaign(t, ledgerWorkload(ledger.Config{Entries: 800, Messages: 10_000, Pace: time.Millisecond, Slow: time.Millisecond}))
	c.binary = built(t, buildMutable)
	c.env = []string{"PENSTOCK_WITHOUT=" + without}
	return c
}

// endless is more progress than a run can make that comes to an end, and endlessTime is longer than one takes.
const (
	endless     = 5000
	endlessTime = 45 * time.Second
)

// attempt runs the victim once and returns what is wrong with the result of a complete run, or why it failed. A reader that
// forgets its position may go round in circles, or wait for what it has passed.
func (c *campaign) attempt(env ...string) (end, error) {
	c.Helper()
	circles, watch := afterProgress(endless)
	victim := c.begin(func(victim *victim, line string) {
		watch(victim, line)
		select {
		case <-circles:
			victim.Kill()
		default:
		}
	}, env...)
	var late atomic.Bool
	timer := time.AfterFunc(endlessTime, func() { late.Store(true); victim.Kill() })
	defer timer.Stop()
	result := victim.wait(c.T)
	select {
	case <-circles:
		late.Store(true)
	default:
	}
	if late.Load() {
		return failed, errors.New("the run does not come to an end")
	}
	switch result {
	case failed:
		return result, errors.New(victim.reason())
	case completed:
		return result, c.workload.check(c.T, c.site)
	}
	return result, nil
}

// die runs the victim to a fault point.
func (c *campaign) die(point, stage string, passage int) error {
	c.Helper()
	result, err := c.attempt(fmt.Sprintf("%s=%s:%d", faultpoint.Variable, at(place{point, stage, 0}), passage))
	if err == nil && result != killed {
		c.Fatalf("%s was not reached", point)
	}
	return err
}

// killBeforeAck dies between a commit and the acknowledgement of what it consumed: the server delivers that again.
func killBeforeAck(c *campaign) error {
	for _, stage := range []string{"book", "audit", "tally"} {
		if err := c.die(faultpoint.AfterPublish, stage, 2); err != nil {
			return err
		}
	}
	_, err := c.attempt()
	return err
}

// killLaggingReader dies after trims, while the tally is far behind.
func killLaggingReader(c *campaign) error {
	for range 2 {
		if err := c.die(faultpoint.MidProcess, "tally", 150); err != nil {
			return err
		}
	}
	_, err := c.attempt()
	return err
}

// purgeUnread takes frames away that the tally has not read, while nothing runs. That must be refused.
func purgeUnread(c *campaign) error {
	if err := c.die(faultpoint.MidProcess, "tally", 60); err != nil {
		return err
	}
	err := c.site.withBroker(c.Context(), func(b *broker.Broker) error {
		return purgeAllButLast(c.Context(), b, ledger.Name+"+entries", ledger.Name+".entries.0")
	})
	if err != nil {
		c.Fatal(err)
	}
	result, err := c.attempt()
	if result == failed && strings.Contains(err.Error(), "messages are missing in stream "+ledger.Name+"+entries") {
		return nil
	}
	return fmt.Errorf("a gap was not refused: %v", err)
}

// purgeAllButLast leaves the last commit. What is behind it, such as an entry of the register, stays.
func purgeAllButLast(ctx context.Context, b *broker.Broker, stream, subject string) error {
	s, err := b.JetStream().Stream(ctx, stream)
	if err != nil {
		return err
	}
	last, err := s.GetLastMsgForSubject(ctx, subject)
	if err != nil {
		return err
	}
	return s.Purge(ctx, jetstream.WithPurgeSequence(last.Sequence))
}
