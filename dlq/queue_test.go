package dlq

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/internal/testing/natsserver"
)

func TestOpenMakesTheStream(t *testing.T) {
	t.Parallel()
	js := natsserver.Start(t).JetStream()
	open(t, js, testConfig())
	stream, err := js.Stream(t.Context(), "fizzbuzz++dead-letters")
	if err != nil {
		t.Fatal(err)
	}
	cfg := stream.CachedInfo().Config
	if cfg.Storage != jetstream.FileStorage || cfg.Retention != jetstream.LimitsPolicy || cfg.Discard != jetstream.DiscardNew ||
		cfg.AllowDirect || cfg.MaxBytes != DefaultMaxBytes || cfg.MaxMsgs != -1 || cfg.MaxAge != 0 || cfg.Replicas != 1 ||
		cfg.Metadata["penstock.pipeline"] != "fizzbuzz" || cfg.Metadata["penstock.identity"] != "id-1" {
		t.Fatalf("config %+v", cfg)
	}
}

func TestOpenAgainKeepsLettersAndSetsLimits(t *testing.T) {
	t.Parallel()
	js := natsserver.Start(t).JetStream()
	q := open(t, js, testConfig())
	for offset := range uint64(3) {
		mustPut(t, q, letterAt(offset), true)
	}
	cfg := testConfig()
	cfg.MaxMessages, cfg.MaxBytes, cfg.MaxAge = 2, 1<<20, time.Hour
	q = open(t, js, cfg)
	wantCount(t, q, 3)
	info := q.stream.CachedInfo()
	if c := info.Config; c.MaxMsgs != 2 || c.MaxBytes != 1<<20 || c.MaxAge != time.Hour {
		t.Fatalf("config %+v", c)
	}
}

func TestTakeOverKeepsReplicasUnlessTold(t *testing.T) {
	t.Parallel()
	for given, want := range map[int]int{0: 3, 1: 1, 5: 5} {
		cfg := testConfig()
		cfg.Replicas = 3
		old := cfg.stream()
		cfg.Replicas = given
		if got, err := cfg.takeOver(old); err != nil || got.Replicas != want {
			t.Errorf("Replicas %d: %d, %v; want %d", given, got.Replicas, err, want)
		}
	}
}

func TestOpenRefusesAForeignStream(t *testing.T) {
	t.Parallel()
	js := natsserver.Start(t).JetStream()
	mustPut(t, open(t, js, testConfig()), letterAt(1), true)
	cfg := testConfig()
	cfg.Identity = "id-2"
	if _, err := Open(t.Context(), js, cfg); !errors.Is(err, ErrForeign) {
		t.Fatalf("Open = %v, want ErrForeign", err)
	}
	q, found, err := Lookup(t.Context(), js, "fizzbuzz")
	if err != nil || !found {
		t.Fatalf("Lookup = %v, %v", found, err)
	}
	if ours, others := q.Belongs(testConfig().Identity), q.Belongs("id-2"); ours != nil || !errors.Is(others, ErrForeign) {
		t.Errorf("Belongs = %v, %v", ours, others)
	}
	wantCount(t, q, 1)
}

func TestOpenRefusesABadConfig(t *testing.T) {
	t.Parallel()
	js := natsserver.Start(t).JetStream()
	for name, cfg := range map[string]Config{
		"no pipeline":  {Identity: "i"},
		"bad pipeline": {Pipeline: "a.b", Identity: "i"},
		"no identity":  {Pipeline: "a"},
		"replicas":     {Pipeline: "a", Identity: "i", Replicas: -1},
		"age":          {Pipeline: "a", Identity: "i", MaxAge: -1},
	} {
		if _, err := Open(t.Context(), js, cfg); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestLookupFindsOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	js := natsserver.Start(t).JetStream()
	if q, found, err := Lookup(t.Context(), js, "fizzbuzz"); q != nil || found || err != nil {
		t.Fatalf("Lookup = %v, %v, %v", q, found, err)
	}
	if _, _, err := Lookup(t.Context(), js, "*"); !errors.Is(err, ErrInvalid) {
		t.Fatalf("Lookup of a wildcard: %v, want ErrInvalid", err)
	}
}

func TestDeleteAll(t *testing.T) {
	t.Parallel()
	js := natsserver.Start(t).JetStream()
	q := open(t, js, testConfig())
	mustPut(t, q, letterAt(1), true)
	for range 2 {
		if err := q.DeleteAll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, found, err := Lookup(t.Context(), js, "fizzbuzz"); found || err != nil {
		t.Fatalf("Lookup = %v, %v", found, err)
	}
	cfg := testConfig()
	cfg.Identity = "id-2"
	mustPut(t, open(t, js, cfg), letterAt(1), true)
}

func TestPipelinesDoNotMix(t *testing.T) {
	t.Parallel()
	js := natsserver.Start(t).JetStream()
	q := open(t, js, testConfig())
	other := open(t, js, Config{Pipeline: "other", Identity: "id-1"})
	mustPut(t, q, letterAt(1), true)
	wantCount(t, other, 0)
	if _, err := other.Put(t.Context(), letterAt(1)); !errors.Is(err, ErrInvalid) {
		t.Fatalf("Put of another pipeline's letter: %v, want ErrInvalid", err)
	}
}
