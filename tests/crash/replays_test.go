//go:build unix

package crash

import (
	"testing"

	"penstock/dlq"
	"penstock/engine/faultpoint"
	"penstock/tests/crash/poison"
)

// Killed between any two steps of a replay, each message takes effect once, however often it was asked for.
func TestKilledAtEveryStepOfAReplay(t *testing.T) {
	t.Parallel()
	for _, point := range []string{
		faultpoint.AfterClaim, faultpoint.AfterSeal, faultpoint.AfterFence, faultpoint.ReplayFound, faultpoint.AfterPeek, faultpoint.MidProcess,
		faultpoint.BeforePublish, faultpoint.PublishSent, faultpoint.AfterPublish, faultpoint.BeforeAck,
		faultpoint.BeforeCheckpoint, faultpoint.AfterCheckpoint, faultpoint.MidReplay, faultpoint.MidSettle,
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			c, _, prepared := keptLetters(t)
			defer c.report()
			for k := range letterKills(t) {
				c.copyOf(prepared)
				c.ask(nil)
				c.ask(nil)
				if err := c.site.mend(); err != nil {
					t.Fatal(err)
				}
				p := place{point: point, stage: stageOf(k)}
				passage := 1
				switch point {
				case faultpoint.BeforeCheckpoint, faultpoint.AfterCheckpoint:
					p.stage = ""
				case faultpoint.ReplayFound, faultpoint.MidReplay, faultpoint.MidSettle:
					passage += k / len(poison.Stages) % 2
				}
				c.dieAt(p, passage)
				c.ask(nil)
				c.goOn()
			}
		})
	}
}

// A replay that fails again, killed between any two steps, leaves one letter of each message, of the next round.
func TestKilledAtEveryStepOfAReplayThatFails(t *testing.T) {
	t.Parallel()
	for _, point := range []string{
		faultpoint.ReplayFound, faultpoint.BeforeDivert, faultpoint.MidDivert, faultpoint.PublishSent, faultpoint.AfterPublish,
		faultpoint.MidReplay, faultpoint.MidSettle,
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			c, _, prepared := keptLetters(t)
			defer c.report()
			for k := range letterKills(t) {
				c.copyOf(prepared)
				c.ask(nil)
				c.dieAt(place{point: point, stage: stageOf(k)}, 1)
				if c.requests() > 0 {
					c.complete()
				}
				c.checkRound(poison.Killer{}, 2)
			}
		})
	}
}

// A letter that is discarded after a replay was asked for has no effect, and the others have theirs.
func TestDiscardedBeforeItsReplay(t *testing.T) {
	t.Parallel()
	c, config, prepared := keptLetters(t)
	defer c.report()
	for k := range letterKills(t) {
		c.copyOf(prepared)
		c.ask(nil)
		var discarded []poison.Killer
		c.must(c.withLetters(func(q *dlq.Queue) error {
			return q.SelectInOrder(t.Context(), dlq.Filter{}, func(l dlq.Letter) error {
				for _, killer := range config.Killers {
					if number(l) == killer.Number && c.random.IntN(2) == 0 {
						discarded = append(discarded, killer)
						return q.Discard(t.Context(), l)
					}
				}
				return nil
			})
		}))
		c.must(c.site.mend())
		if k%2 == 1 && len(discarded) < len(config.Killers) {
			c.dieAt(place{point: faultpoint.MidReplay}, 1)
		}
		if c.requests() > 0 {
			c.complete()
		}
		if err := checkReplayed(t.Context(), c.site, config, discarded); err != nil {
			t.Fatalf("discarded %v: %v", discarded, err)
		}
	}
}

// Who asks for replays is killed half-way, and asks again.
func TestAskerIsKilled(t *testing.T) {
	t.Parallel()
	c, config, prepared := keptLetters(t)
	defer c.report()
	for range letterKills(t) {
		c.copyOf(prepared)
		if err := c.site.mend(); err != nil {
			t.Fatal(err)
		}
		line := 1 + c.random.IntN(2*len(config.Killers))
		if c.ask(func(asker *victim, _ string) {
			if asker.Said() >= line {
				asker.Kill()
			}
		}) == killed {
			c.kills[""]++
		}
		if some := c.requests(); some > 0 && c.random.IntN(2) == 0 { // those that were asked for come first
			c.complete()
			if left, err := c.site.letters(t.Context(), poison.Name); err != nil || len(left) != len(config.Killers)-some {
				t.Fatalf("%d letters after %d replays of %d: %v", len(left), some, len(config.Killers), err)
			}
		}
		c.ask(nil)
		c.goOn()
	}
}
