//go:build unix

package crash

import (
	"math/rand/v2"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/tests/crash/ledger"
)

// Another client publishes to the channels all the while, and also while nothing runs; the process is killed again and
// again. The result is exact.
func TestKilledBesideForeignMessages(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	c := newCampaign(t, ledgerWorkload(ledger.Config{}))
	defer c.report()
	c.site.url = server.url
	other := newIntruder(t, server.url, c.random)
	beside := func(line int) end { // 0: to its end
		return c.run(func(v *victim, _ string) {
			if v.Said()%5 == 0 {
				other.publish()
			}
			if line > 0 && v.Said() >= line {
				v.Kill()
			}
		})
	}
	for tries := 0; c.kills[""] < kills(t); tries++ {
		if tries == kills(t)*maxMisses {
			t.Fatalf("only %d of %d kills in %d runs", c.kills[""], kills(t), tries)
		}
		if beside(10+c.random.IntN(c.workload.lines-10)) == killed {
			c.kills[""]++
		}
		for range 5 {
			other.publish()
		}
	}
	if beside(0) != completed {
		t.Fatal("the last run was killed by nobody")
	}
	if other.published < 10*kills(t) {
		t.Errorf("only %d messages of another client", other.published)
	}
	t.Logf("%d messages of another client", other.published)
}

// intruder is a client that publishes where it should not: garbage, nothing, and frames that were published before.
type intruder struct {
	t         *testing.T
	js        jetstream.JetStream
	random    *rand.Rand
	published int
}

func newIntruder(t *testing.T, url string, random *rand.Rand) *intruder {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return &intruder{t: t, js: js, random: random}
}

// publish waits until the server has stored it. A stream that is not there yet, or is being deleted, takes nothing.
func (i *intruder) publish() {
	stage := []string{"entries", "book", "audit", "tally", "file"}[i.random.IntN(5)]
	data := []byte("19 bytes of garbage")[:i.random.IntN(20)]
	if i.random.IntN(2) == 0 {
		if s, err := i.js.Stream(i.t.Context(), ledger.Name+"+"+stage); err == nil {
			if state := s.CachedInfo().State; state.Msgs > 0 {
				if old, err := s.GetMsg(i.t.Context(), state.FirstSeq+i.random.Uint64N(state.LastSeq-state.FirstSeq+1)); err == nil {
					data = old.Data
				}
			}
		}
	}
	if _, err := i.js.Publish(i.t.Context(), ledger.Name+"."+stage+".0", data); err == nil {
		i.published++
	}
}
