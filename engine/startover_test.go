package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/internal/testing/patient"
)

// left lists the IDs of the dead letters of a stopped pipeline.
func left(t *testing.T, dir string) (ids []string) {
	t.Helper()
	i, err := inspect.Open(t.Context(), testConfig(t, dir).ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	q, found, err := i.ReadDeadLetters(t.Context())
	if err == nil && found {
		err = q.Each(t.Context(), func(l dlq.Letter) error { ids = append(ids, l.ID()); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestLettersOutliveTheirRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(change func(*engine.Config)) error {
		config := testConfig(t, dir)
		change(&config)
		ctx, cancel := bounded(t)
		defer cancel()
		return patient.Examined(patient.Values+1, nil).Run(ctx, config)
	}
	asItIs := func(*engine.Config) {}
	if err := run(asItIs); err != nil {
		t.Fatal(err)
	}
	before := left(t, dir)
	if len(before) == 0 {
		t.Fatal("the run made no letters")
	}
	for range 2 {
		err := run(asItIs)
		if !errors.Is(err, engine.ErrLettersLeft) {
			t.Fatalf("the next run ended with %v", err)
		}
		for _, choice := range []string{"Queue.Replay", "Queue.Export", "Queue.Discard", "Config.DiscardLetters"} {
			if !strings.Contains(err.Error(), choice) {
				t.Errorf("it does not name %q: %v", choice, err)
			}
		}
	}
	if after := left(t, dir); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("of the letters %q are left %q", before, after)
	}
	if err := patient.Check(t, dir); err != nil {
		t.Errorf("after the refusals: %v", err)
	}
	if err := run(func(c *engine.Config) { c.DiscardLetters = true }); err != nil {
		t.Fatal(err)
	}
	if err := run(func(c *engine.Config) { c.Fresh = true }); err != nil {
		t.Fatal(err)
	}
	// A deletion that was begun was allowed: it is finished.
	if err := os.WriteFile(filepath.Join(dir, "starting-over"), []byte("examined"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(asItIs); err != nil {
		t.Fatal(err)
	}
	if after := left(t, dir); len(after) != len(before) {
		t.Errorf("letters %q", after)
	}
}
