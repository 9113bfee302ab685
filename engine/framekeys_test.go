package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/engine/inspect"
	"penstock/internal/testing/patient"
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
	keys, err := engine.ReadFrameKeys(file("good", "# the new one\n 0123456789abcdef \n\nfedcba9876543210\n", 0o600))
	if err != nil || len(keys) != 2 || string(keys[0]) != "0123456789abcdef" || string(keys[1]) != "fedcba9876543210" {
		t.Errorf("%q, %v", keys, err)
	}
	for path, part := range map[string]string{
		file("open", "0123456789abcdef\n", 0o644):             "open has the mode 0644: other users may",
		file("group", "0123456789abcdef\n", 0o640):            "group has the mode 0640: its group may",
		file("written", "0123456789abcdef\n", 0o620):          "chmod 600 " + filepath.Join(dir, "written"),
		file("short", "0123456789abcdef\ntoo short\n", 0o600): "key 2 has 9 bytes: it needs 16 or more",
		file("empty", "# nothing\n", 0o600):                   "no key is given",
		file("large", strings.Repeat("x", 1<<17), 0o600):      "bytes",
		filepath.Join(dir, "missing"):                         "no such file",
		dir:                                                   "not a regular file",
	} {
		if _, err := engine.ReadFrameKeys(path); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want %q", path, err, part)
		}
	}
}

// A file of root that a group may read is how secrets are handed to a process without rights of its own.
func TestAKeyFileOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 65534, -1); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{0o400: "", 0o440: "", 0o460: "its group may", 0o444: "other users may"} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := engine.ReadFrameKeys(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%04o: %v", mode, err)
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
			if !errors.Is(err, engine.ErrFrameKey) || strings.Contains(err.Error(), "Config.Fresh") {
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

// Who looks at frames that are authenticated needs the key, and is not deceived by forged ones.
func TestLookingNeedsTheFrameKey(t *testing.T) {
	t.Parallel()
	h := patient.NewHalted(t, false, "0123456789abcdef")
	look := func(secret string) (errs []error) {
		config := h.Config
		config.FrameKeys = nil
		if secret != "" {
			config.FrameKeys = [][]byte{[]byte(secret)}
		}
		_, err := doctor.Examine(t.Context(), config.ToInspect())
		errs = append(errs, err)
		_, err = doctor.Repair(t.Context(), config.ToInspect())
		errs = append(errs, err)
		i, err := inspect.Open(t.Context(), config.ToInspect())
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		return append(errs, i.State(t.Context(), "total", func(string, json.RawMessage) error { return nil }))
	}
	for _, wrong := range []string{"", "a key of another pipeline"} {
		for _, err := range look(wrong) {
			if !errors.Is(err, engine.ErrFrameKey) || !strings.Contains(err.Error(), "Config.FrameKeys") {
				t.Errorf("with the key %q: %v", wrong, err)
			}
		}
	}
	before := committedCount(t, h)
	for _, stage := range []string{"numbers", "total"} { // without the key this is a commit once more
		h.Publish(stage, func(last []byte) []byte { return last })
	}
	for _, err := range look("0123456789abcdef") {
		if err != nil {
			t.Error(err)
		}
	}
	e, err := doctor.Examine(t.Context(), h.Config.ToInspect())
	if err != nil || !e.Sound || !strings.Contains(strings.Join(e.Checked, "\n"), "with the key") {
		t.Errorf("%+v, %v", e, err)
	}
	if after := committedCount(t, h); after != before {
		t.Errorf("the state counts %d, and %d after a forged frame", before, after)
	}
	h.GoesOn()
}

func committedCount(t *testing.T, h *patient.Halted) (n int) {
	t.Helper()
	i, err := inspect.Open(t.Context(), h.Config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if err := i.State(t.Context(), "total", func(_ string, state json.RawMessage) error {
		var s total
		err := json.Unmarshal(state, &s)
		n = int(s.Count)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// The way back from authenticated frames is a new beginning: a complete run, and then a run without the key, or with --fresh.
func TestTheWayBackFromFrameKeys(t *testing.T) {
	t.Parallel()
	h := patient.NewHalted(t, false, "0123456789abcdef")
	h.GoesOn()
	h.Config.FrameKeys = nil
	ctx, stop := bounded(t)
	defer stop()
	if err := h.Wire(patient.HaltedValues, func(uint64) {}).Run(ctx, h.Config); !errors.Is(err, engine.ErrFrameKey) {
		t.Fatalf("without the key: %v", err)
	}
	h.Config.Fresh = true
	h.Forget()
	h.GoesOn()
	if e, err := doctor.Examine(t.Context(), h.Config.ToInspect()); err != nil || !e.Sound || strings.Contains(strings.Join(e.Checked, "\n"), "with the key") {
		t.Errorf("%+v, %v", e, err)
	}
}
