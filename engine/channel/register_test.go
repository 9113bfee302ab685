package channel

import (
	"errors"
	"testing"

	"penstock/engine/frame"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func entry(t testing.TB, owner, epoch uint64) []byte {
	return encode(t, &frame.Frame{Owner: owner, Epoch: epoch, Kind: frame.KindClaim})
}

func seal(t testing.TB, owner, epoch, commit, claim, seen uint64) []byte {
	return encode(t, &frame.Frame{Owner: owner, Epoch: epoch, Commit: commit, Kind: frame.KindSeal, Claim: frame.Claim{Sequence: claim, Seen: seen}})
}

func mustStore(t testing.TB, p *Pending) uint64 {
	t.Helper()
	sequence, err := p.Result()
	if err != nil {
		t.Fatal(err)
	}
	return sequence
}

// A seal competes with claims and not with commits, and is no commit to readers, to starts and to a replay.
func TestClaimsAndSeals(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][]string{"open": nil, "signed": {oneKey}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, ctx := spec(), testContext(t)
			if keys != nil {
				s.Keys = keysOf(t, keys...)
			}
			c := openChannel(t, embedded(t), s)
			if rec, found, err := c.Newest(ctx); found || err != nil || rec.Tail != 0 {
				t.Fatalf("an empty register has %+v, %v, %v", rec, found, err)
			}
			w := newWriter(t, c)
			w.write(1)
			claim := mustStore(t, c.Claim(entry(t, 7, 1), 0))
			if _, err := c.Claim(entry(t, 8, 1), 0).Result(); !errors.Is(err, ErrConflict) {
				t.Errorf("a second claim for the same place: %v", err)
			}
			w.write(1)
			known := w.last
			w.write(1) // the seal does not know of it
			end := mustStore(t, c.Seal(seal(t, 7, 1, w.commit-1, claim, known), claim))
			if _, err := c.Publish(w.encodeNext("", 1, 0, nil), w.last, Trace{}).Result(); !errors.Is(err, ErrConflict) {
				t.Errorf("a commit of the owner before, behind the seal: %v", err)
			}
			w.commit, w.next[""] = w.commit-1, w.next[""]-1
			if rec, found, err := c.Last(ctx); err != nil || !found || rec.Sequence != w.last || rec.Tail != end {
				t.Errorf("the last commit is %+v, %v, %v; want %d before %d", rec, found, err, w.last, end)
			}
			if rec, found, err := c.End(ctx); err != nil || !found || rec.Sequence != end || rec.Frame.Kind != frame.KindSeal {
				t.Errorf("the end is %+v, %v, %v", rec, found, err)
			}
			w.last = end
			w.write(1)
			commits := 0
			if err := c.Replay(ctx, 1, func(Record) error { commits++; return nil }); err != nil || commits != 4 {
				t.Errorf("a replay has %d commits, %v", commits, err)
			}
			newer := mustStore(t, c.Claim(entry(t, 8, 2), claim))
			if _, err := c.Seal(seal(t, 7, 1, w.commit, claim, w.last), claim).Result(); !errors.Is(err, ErrConflict) {
				t.Errorf("a late seal of the older claim: %v", err)
			}
			if rec, found, err := c.Newest(ctx); err != nil || !found || rec.Sequence != newer || rec.Frame.Owner != 8 {
				t.Errorf("the newest entry is %+v, %v, %v", rec, found, err)
			}
			startReader(t, c, ReaderConfig{}).offsets(0, 4)
			if c.Foreign() != 0 {
				t.Errorf("%d are set aside", c.Foreign())
			}
		})
	}
}

// The newest entry stays, wherever it is; with one behind the cut the whole stream is trimmed.
func TestTrimLeavesTheNewestEntry(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	ctx := testContext(t)
	claim := mustStore(t, c.Claim(entry(t, 7, 1), 0))
	w := newWriter(t, c)
	for range 5 {
		w.write(1)
	}
	if err := c.Trim(ctx, w.last); err != nil {
		t.Fatal(err)
	}
	if rec, found, err := c.Newest(ctx); err != nil || !found || rec.Sequence != claim {
		t.Errorf("the entry is %+v, %v, %v", rec, found, err)
	}
	if info, err := c.Info(ctx); err != nil || info.Frames != 2 {
		t.Errorf("%+v is left, %v", info, err)
	}
	w.write(1)
	mustStore(t, c.Claim(entry(t, 7, 1), claim))
	if err := c.Trim(ctx, w.last); err != nil {
		t.Fatal(err)
	}
	if info, err := c.Info(ctx); err != nil || info.First != w.last || info.Frames != 2 {
		t.Errorf("%+v is left, %v", info, err)
	}
}

// Garbage and frames of the other subject are set aside on each of the two.
func TestForeignMessagesInTheRegister(t *testing.T) {
	t.Parallel()
	c := openChannel(t, embedded(t), spec())
	ctx := testContext(t)
	publish := func(subject string, data []byte, expected string) {
		t.Helper()
		header := nats.Header{}
		if expected != "" {
			header[jetstream.ExpectedLastSubjSeqHeader] = []string{expected}
		}
		if _, err := c.broker.JetStream().PublishMsg(ctx, &nats.Msg{Subject: subject, Data: data, Header: header}); err != nil {
			t.Fatal(err)
		}
	}
	claim := mustStore(t, c.Claim(entry(t, 7, 1), 0))
	w := newWriter(t, c)
	w.write(1)
	publish(c.register, []byte("garbage"), "")
	publish(c.register, encode(t, &frame.Frame{Owner: 9, Epoch: 9, Commit: 9}), "3")
	publish(c.subject, entry(t, 9, 9), "2")
	if rec, found, err := c.Newest(ctx); err != nil || !found || rec.Sequence != claim || rec.Tail != 4 {
		t.Errorf("the newest entry is %+v, %v, %v", rec, found, err)
	}
	if rec, found, err := c.End(ctx); err != nil || !found || rec.Sequence != 2 || rec.Tail != 5 {
		t.Errorf("the end is %+v, %v, %v", rec, found, err)
	}
	startReader(t, c, ReaderConfig{}).offsets(0, 1)
	if c.Foreign() != 3 {
		t.Errorf("%d are set aside", c.Foreign())
	}
	mustStore(t, c.Claim(entry(t, 8, 2), 4))
}

// A stream of an earlier build has no register yet.
func TestAStreamOfAnEarlierBuildGetsARegister(t *testing.T) {
	t.Parallel()
	b, j := embedded(t), &journal{}
	s := spec()
	s.Logger = j.logger()
	cfg := s.config(b.Replicas())
	cfg.Subjects = cfg.Subjects[:1]
	if _, err := b.JetStream().CreateStream(testContext(t), cfg); err != nil {
		t.Fatal(err)
	}
	c := openChannel(t, b, s)
	mustStore(t, c.Claim(entry(t, 7, 1), 0))
	if j.count("another client changed the settings") > 0 || j.count("made by an earlier version") != 1 {
		t.Error(j.text.String())
	}
}
