package engine_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/remedy"
)

// The refusal over left letters offers a replay only where a stage can take one of them.
func TestLettersOfASourceAreNotOfferedForAReplay(t *testing.T) {
	t.Parallel()
	config := testConfig(t, t.TempDir())
	wire := func() *engine.Pipeline {
		p := engine.New("rejecting")
		numbers := engine.Source(p, "numbers", func(_ context.Context, at *Place, _ engine.Emit[uint64]) error {
			if at.Next++; at.Next > 1 {
				return io.EOF
			}
			return engine.Reject(errors.New("no number"))
		})
		engine.Sink(p, "sink", numbers, ignore[struct{}, uint64])
		return p
	}
	if err := runBounded(t, wire(), config); err != nil {
		t.Fatal(err)
	}
	err := runBounded(t, wire(), config)
	if !errors.Is(err, engine.ErrLettersLeft) || !strings.Contains(err.Error(), "would delete 1 dead letter.") {
		t.Fatalf("the next run: %v", err)
	}
	if named := remedy.Of(err); slices.Contains(named, remedy.ReplayLetters) || !slices.Contains(named, remedy.DiscardLetter) {
		t.Errorf("it names %v", named)
	}
}

// Messages of another program among the letters are of no source, and an export leaves them out.
func TestLettersThatCannotBeReadAreCalledThat(t *testing.T) {
	t.Parallel()
	config := testConfig(t, t.TempDir())
	wire := func() *engine.Pipeline {
		p := engine.New("junk")
		engine.Sink(p, "sink", engine.Source(p, "numbers", count(3, 1)), ignore[struct{}, uint64])
		return p
	}
	if err := runBounded(t, wire(), config); err != nil {
		t.Fatal(err)
	}
	b, err := broker.Open(t.Context(), broker.Config{Dir: filepath.Join(config.Dir, "jetstream")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.JetStream().Publish(t.Context(), "junk.sink.0.dead.x", []byte("junk")); err != nil {
		t.Fatal(err)
	}
	b.Close()
	err = runBounded(t, wire(), config)
	if !errors.Is(err, engine.ErrLettersLeft) || strings.Contains(err.Error(), "source") {
		t.Fatalf("the next run: %v", err)
	}
	named := remedy.Of(err)
	if !slices.Contains(named, remedy.GetLetter.For("unreadable:1")) || slices.Contains(named, remedy.ExportLetters) {
		t.Errorf("it names %v", named)
	}
}
