package channel

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"penstock/engine/broker"
	"penstock/engine/frame"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func keysOf(t testing.TB, secrets ...string) *frame.Keys {
	t.Helper()
	var list [][]byte
	for _, s := range secrets {
		list = append(list, []byte(s))
	}
	keys, err := frame.NewKeys(list...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

const (
	oneKey   = "the one key of this pipeline"
	otherKey = "another key of this pipeline"
)

func withKeys(t testing.TB, b *broker.Broker, secrets ...string) *Channel {
	t.Helper()
	s := spec()
	s.Keys = keysOf(t, secrets...)
	return openChannel(t, b, s)
}

// forge publishes as a commit is published, by a client that knows everything but the key.
func forge(t testing.TB, c *Channel, expected uint64, data []byte) uint64 {
	t.Helper()
	msg := &nats.Msg{Subject: c.subject, Data: data, Header: nats.Header{
		jetstream.ExpectedLastSubjSeqHeader: []string{strconv.FormatUint(expected, 10)},
	}}
	ack, err := c.broker.JetStream().PublishMsg(testContext(t), msg)
	if err != nil {
		t.Fatal(err)
	}
	return ack.Sequence
}

func TestForgedFramesAreSetAside(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	c := withKeys(t, b, oneKey)
	w := newWriter(t, c)
	w.write(2)
	stored, err := c.mustStream(t).GetMsg(testContext(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	next := func() []byte {
		return encode(t, &frame.Frame{Owner: 7, Epoch: 2, Commit: w.commit + 1, Kind: frame.KindFence, Ended: true, Sections: []frame.Section{section("", w.next[""], 1, 0)}})
	}
	foreignSignature, err := keysOf(t, otherKey).Sign(nil, next(), c.place(c.subject, "1"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(stored.Data)
	flipped[len(flipped)/2] ^= 4
	for _, data := range [][]byte{next(), foreignSignature, stored.Data, flipped, []byte("garbage"), append([]byte("PSTK\x01\x00"), make([]byte, 90)...)} {
		w.last = forge(t, c, w.last, data)
		if rec, found, err := c.Last(testContext(t)); err != nil || !found || rec.Tail != w.last || rec.Frame.Commit != w.commit {
			t.Fatalf("the last frame: %+v, %v, %v", rec, found, err)
		}
		w.write(1)
	}
	again := withKeys(t, b, oneKey)
	r := startReader(t, again, ReaderConfig{})
	r.offsets(0, 8)
	if c.Foreign() != 6 || again.Foreign() != 6 {
		t.Errorf("%d and %d are set aside", c.Foreign(), again.Foreign())
	}
}

func TestKeysMayBeTurnedOnAndChanged(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	w := newWriter(t, openChannel(t, b, spec()))
	w.write(1)
	for _, secrets := range [][]string{{oneKey}, {oneKey}, {otherKey, oneKey}, {otherKey, oneKey}} {
		w.c = withKeys(t, b, secrets...)
		if rec, found, err := w.c.Last(testContext(t)); err != nil || !found || rec.Frame.Commit != w.commit {
			t.Fatalf("%v: %+v, %v, %v", secrets, rec, found, err)
		}
		w.write(1)
		w.write(1)
		r := startReader(t, w.c, ReaderConfig{Name: "r" + strconv.FormatUint(w.commit, 10)})
		r.offsets(0, w.next[""])
		if w.c.Foreign() != 0 {
			t.Errorf("%v: %d are set aside", secrets, w.c.Foreign())
		}
	}
	// A frame without a signature behind those that have one is forged, for every reader and from every position.
	w.last = forge(t, w.c, w.last, encode(t, &frame.Frame{Epoch: 9, Commit: w.commit + 1, Sections: []frame.Section{section("", w.next[""], 5, 0)}}))
	forged := w.last
	w.write(1)
	again := withKeys(t, b, otherKey, oneKey)
	r := startReader(t, again, ReaderConfig{Position: Position{Offset: w.next[""] - 1, Sequence: forged}})
	r.offsets(w.next[""]-1, w.next[""])
	if again.Foreign() == 0 {
		t.Error("the forged frame is not set aside")
	}
}

func TestAWrongKeyIsToldAndHarmsNothing(t *testing.T) {
	t.Parallel()
	b := embedded(t)
	w := newWriter(t, withKeys(t, b, oneKey))
	w.write(3)
	told := func(err error) {
		t.Helper()
		wantError(t, err, ErrKey, "authenticated", "nothing is damaged", keysOf(t, oneKey).ID(), "Config.FrameKeys")
		if strings.Contains(err.Error(), "Config.Fresh") {
			t.Errorf("it advises to throw frames away: %v", err)
		}
	}
	none := openChannel(t, b, spec())
	_, _, err := none.Last(testContext(t))
	told(err)
	told(none.Replay(testContext(t), 1, func(Record) error { return nil }))
	r := startReader(t, none, ReaderConfig{})
	told(<-r.result)
	s := spec()
	s.Keys = keysOf(t, otherKey)
	_, err = Open(testContext(t), b, s)
	told(err)
	if _, _, err = Find(testContext(t), b, s); err == nil {
		t.Error("a wrong key finds the channel")
	}
	looker, found, err := Lookup(testContext(t), b, "fizzbuzz", "generator")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	_, _, err = looker.Last(testContext(t))
	told(err)
}
