package jetstream_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/stages/jetstream"
)

// Messages that are gone before they were read stop the pipeline, with words that say which; with AllowGaps it goes
// on and counts them.
func TestMessagesThatAreGone(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		harm     func(t *testing.T, o *other, s natsjs.Stream) // 10 messages were read, and 10 were not
		subjects []string
		kind     error
		says     string
		after    []string // what is read when it goes on
		dropped  uint64
	}{
		"purged": {
			harm: func(t *testing.T, _ *other, s natsjs.Stream) {
				must(t, s.Purge(t.Context(), natsjs.WithPurgeSequence(16)))
			},
			kind: jetstream.ErrGap, says: "11 to 15 of S", after: texts(15, 20), dropped: 5,
		},
		"purged whole": {
			harm: func(t *testing.T, _ *other, s natsjs.Stream) { must(t, s.Purge(t.Context())) },
			kind: jetstream.ErrGap, says: "11 to 20 of S",
		},
		"purged with subjects": {
			harm: func(t *testing.T, _ *other, s natsjs.Stream) {
				must(t, s.Purge(t.Context(), natsjs.WithPurgeSequence(16)))
			},
			subjects: []string{"s.even", "s.odd"},
			kind:     jetstream.ErrGap, says: "may not have read all", after: texts(15, 20),
		},
		"deleted": {
			harm: func(t *testing.T, _ *other, s natsjs.Stream) { must(t, s.DeleteMsg(t.Context(), 13)) },
			kind: jetstream.ErrGap, says: "13 to 13 of S", after: append(texts(10, 12), texts(13, 20)...), dropped: 1,
		},
		"dropped by a limit": {
			harm: func(t *testing.T, o *other, s natsjs.Stream) {
				cfg := s.CachedInfo().Config
				cfg.MaxMsgs = 3
				_, err := o.js.UpdateStream(t.Context(), cfg)
				must(t, err)
			},
			kind: jetstream.ErrGap, says: "11 to 17 of S", after: texts(17, 20), dropped: 7,
		},
		"read and purged": {
			harm: func(t *testing.T, _ *other, s natsjs.Stream) {
				must(t, s.Purge(t.Context(), natsjs.WithPurgeSequence(11)))
			},
			after: texts(10, 20),
		},
		"made anew": {
			harm: func(t *testing.T, o *other, _ natsjs.Stream) {
				must(t, o.js.DeleteStream(t.Context(), "S"))
				o.stream()
				o.put(100, 130)
			},
			kind: jetstream.ErrOtherStream, says: "made anew", after: texts(100, 130),
		},
		"deleted for good": {
			harm: func(t *testing.T, o *other, _ natsjs.Stream) { must(t, o.js.DeleteStream(t.Context(), "S")) },
			kind: jetstream.ErrOtherStream, says: "was deleted",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := startOther(t)
			s := o.stream()
			o.put(0, 10)
			dir := t.TempDir()
			config := jetstream.SourceConfig{NATS: o.nats(), Subjects: of.subjects}
			p, got := reads(config)
			r := start(t, p, engine.Config{Dir: dir})
			got.await(t, 10)
			r.must(true)
			o.put(10, 20)
			of.harm(t, o, s)

			p, got = reads(config)
			r = start(t, p, engine.Config{Dir: dir})
			if of.kind != nil {
				err := r.refusedWith(of.kind)
				if !strings.Contains(err.Error(), of.says) || of.after != nil && !strings.Contains(err.Error(), "AllowGaps") {
					t.Errorf("it says: %v", err)
				}
				if errors.Is(err, jetstream.ErrGap) == errors.Is(err, jetstream.ErrOtherStream) {
					t.Errorf("it is two kinds: %v", err)
				}
				if of.after == nil {
					return
				}
				config.AllowGaps = true
				p, got = reads(config)
				r = start(t, p, engine.Config{Dir: dir})
			}
			got.await(t, len(of.after))
			status := r.must(true)
			if list := got.texts(); !slices.Equal(list, of.after) {
				t.Errorf("after that %v, want %v", list, of.after)
			}
			if dropped := enginetest.Stage(t, status, "source").Dropped; dropped != of.dropped {
				t.Errorf("%d dropped, want %d", dropped, of.dropped)
			}
		})
	}
}

// A stream that is purged, or made anew, while it is read is noticed as well.
func TestMessagesThatGoWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		harm func(t *testing.T, o *other, s natsjs.Stream)
		kind error
	}{
		"deleted": {func(t *testing.T, o *other, s natsjs.Stream) {
			must(t, s.DeleteMsg(t.Context(), 10)) // it was read
			o.put(10, 11)
			info, err := s.Info(t.Context())
			must(t, err)
			if info.State.LastSeq != 11 {
				t.Errorf("it ends at %d", info.State.LastSeq)
			}
		}, nil},
		"made anew": {func(t *testing.T, o *other, _ natsjs.Stream) {
			must(t, o.js.DeleteStream(t.Context(), "S"))
			o.stream()
			o.put(0, 30)
		}, jetstream.ErrOtherStream},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := startOther(t)
			s := o.stream()
			o.put(0, 10)
			p, got := reads(jetstream.SourceConfig{NATS: o.nats()})
			r := start(t, p, engine.Config{Dir: t.TempDir()})
			got.await(t, 10)
			of.harm(t, o, s)
			if of.kind != nil {
				r.refusedWith(of.kind)
				return
			}
			got.await(t, 11)
			r.must(true)
			if list := got.texts(); !slices.Equal(list, texts(0, 11)) {
				t.Errorf("%v", list)
			}
		})
	}
}

// A server that has lost the end of its stream, and used the sequences again, is told apart by the times of the
// messages.
func TestSequencesThatAreUsedAgain(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	o.stream()
	o.put(0, 7)
	before := o.backup()
	o.put(7, 10)
	dir := t.TempDir()
	p, got := reads(jetstream.SourceConfig{NATS: o.nats()})
	r := start(t, p, engine.Config{Dir: dir})
	got.await(t, 10)
	r.must(true)
	o.restore(before)
	p, _ = reads(jetstream.SourceConfig{NATS: o.nats()})
	err := start(t, p, engine.Config{Dir: dir}).refusedWith(jetstream.ErrOtherStream)
	if !strings.Contains(err.Error(), "ends at message 7") {
		t.Errorf("it says: %v", err)
	}
	o.put(20, 30) // it is longer than what was read
	p, _ = reads(jetstream.SourceConfig{NATS: o.nats()})
	err = start(t, p, engine.Config{Dir: dir}).refusedWith(jetstream.ErrOtherStream)
	if !strings.Contains(err.Error(), "used its sequences again") {
		t.Errorf("it says: %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	o.stream(func(c *natsjs.StreamConfig) { c.Retention = natsjs.WorkQueuePolicy })
	if _, err := o.js.CreateStream(t.Context(), natsjs.StreamConfig{Name: "SHORT", Subjects: []string{"t"}, MaxMsgs: 2}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := o.js.Publish(t.Context(), "t", nil); err != nil {
			t.Fatal(err)
		}
	}
	nats := o.nats()
	for says, config := range map[string]jetstream.SourceConfig{
		"NATS.URL is empty":                     {Stream: "S"},
		"is the name of a stream":               {NATS: nats, Stream: "s.>"},
		"there is no stream NONE":               {NATS: nats, Stream: "NONE"},
		"has the retention":                     {NATS: nats, Stream: "S"},
		"sequences begin at 1":                  {NATS: nats, Stream: "SHORT", From: jetstream.FromSequence(0)},
		"it has no message 7":                   {NATS: nats, Stream: "SHORT", From: jetstream.FromSequence(7)},
		"begins at message 4":                   {NATS: nats, Stream: "SHORT", From: jetstream.FromSequence(3)},
		"the URL gopher://x begins with gopher": {NATS: engine.NATS{URL: "gopher://x"}, Stream: "S"},
		"subject filters cannot overlap":        {NATS: nats, Stream: "SHORT", Subjects: []string{"t", ">"}},
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			p := engine.New("refused")
			engine.Discard(jetstream.Source(p.With(quick), "source", config))
			if err := start(t, p, engine.Config{Dir: t.TempDir()}).refusedWith(nil); !strings.Contains(err.Error(), says) {
				t.Errorf("it says: %v", err)
			}
		})
	}
}
