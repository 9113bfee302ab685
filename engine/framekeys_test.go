package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/engine"
)

func TestReadFrameKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keys, err := engine.ReadFrameKeys(file("good", "# the new one\n 0123456789abcdef \n\nfedcba9876543210\n", 0o640))
	if err != nil || len(keys) != 2 || string(keys[0]) != "0123456789abcdef" || string(keys[1]) != "fedcba9876543210" {
		t.Errorf("%q, %v", keys, err)
	}
	for path, part := range map[string]string{
		file("open", "0123456789abcdef\n", 0o644):             "chmod 600",
		file("short", "0123456789abcdef\ntoo short\n", 0o600): "key 2 has 9 bytes: it needs 16 or more",
		file("empty", "# nothing\n", 0o600):                   "there are none",
		file("large", strings.Repeat("x", 1<<17), 0o600):      "bytes",
		filepath.Join(dir, "missing"):                         "no such file",
		dir:                                                   "mode",
	} {
		if _, err := engine.ReadFrameKeys(path); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q", path, err, part)
		}
	}
}

// A pipeline gets a key between two runs, and another one later. Without a key of its frames it is refused, which harms nothing.
func TestAKeyIsTurnedOnChangedAndForgotten(t *testing.T) {
	t.Parallel()
	const values = 400
	config := testConfig(t, t.TempDir())
	got := collect[uint64](t)
	steps := [][]string{nil, {"0123456789abcdef"}, {"fedcba9876543210", "0123456789abcdef"}, {"fedcba9876543210"}}
	run := func(secrets []string, until int) error {
		config.FrameKeys = nil
		for _, s := range secrets {
			config.FrameKeys = append(config.FrameKeys, []byte(s))
		}
		ctx, stop := bounded(t)
		defer stop()
		p := engine.New("keyed")
		all := count(values, 1)
		numbers := engine.Source(p, "numbers", func(ctx context.Context, at *Place, emit engine.Emit[uint64]) error {
			if until < values && at.Next == uint64(until) { // a stage that has ended writes nothing with a new key
				<-ctx.Done()
				return ctx.Err()
			}
			return all(ctx, at, emit)
		})
		engine.Sink(p, "sink", numbers, func(c context.Context, s *struct{}, m engine.Message[uint64]) error {
			if m.Offset+1 == uint64(until) {
				stop()
			}
			return got.sink(c, s, m)
		})
		return p.Run(ctx, config)
	}
	for k, secrets := range steps {
		if err := run(secrets, (k+1)*values/len(steps)); err != nil {
			t.Fatalf("with %v: %v", secrets, err)
		}
		if k == 0 {
			continue
		}
		for _, wrong := range [][]string{nil, {"a key of somebody else"}} {
			err := run(wrong, values)
			if !errors.Is(err, engine.ErrFrameKey) || strings.Contains(err.Error(), "--fresh") {
				t.Fatalf("after %v, with %v: %v", secrets, wrong, err)
			}
		}
	}
	if err := run([]string{"short"}, values); err == nil || !strings.Contains(err.Error(), "needs 16") {
		t.Errorf("a short key: %v", err)
	}
	for k, v := range got.all() {
		if v != uint64(k) {
			t.Fatalf("value %d is %d", k, v)
		}
	}
	if len(got.all()) != values {
		t.Errorf("%d values", len(got.all()))
	}
}
