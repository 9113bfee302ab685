package broker

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/engine/internal/blocks"
)

// The server writes a stream's settings and then their checksum, and knows nothing of the stream when a kill came in between.
func TestInterruptedChangeOfAStreamIsFinished(t *testing.T) {
	t.Parallel()
	for name, interrupt := range map[string]func(sum string) error{
		"created": os.Remove,
		"changed": func(sum string) error { return os.WriteFile(sum, []byte("of the settings before"), 0o600) },
		"sound":   func(string) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for want := uint64(1); want <= 3; want++ {
				if n := publishOne(t, dir, want == 1); n != want {
					t.Fatalf("%d messages, want %d", n, want)
				}
				if err := interrupt(filepath.Join(dir, "jetstream", "$G", "streams", "s", "meta.sum")); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// publishOne publishes to a stream, which it creates the first time, and returns how many messages it has.
func publishOne(t *testing.T, dir string, first bool) uint64 {
	t.Helper()
	b := open(t, Config{Dir: dir})
	defer b.Close()
	ctx := testContext(t)
	if first {
		if _, err := b.JetStream().CreateStream(ctx, jetstream.StreamConfig{Name: "s", Subjects: []string{"s.>"}}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.JetStream().Stream(ctx, "s")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.JetStream().Publish(ctx, "s.1", []byte("a message")); err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Msgs
}

// Whoever creates the stream once more must not have to do so at every start.
func TestUnreadableSettingsAreMadeAnew(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(meta []byte) []byte{
		"cut":   func(meta []byte) []byte { return meta[:len(meta)/2] },
		"zeros": func(meta []byte) []byte { clear(meta[len(meta)/3:]); return meta },
		"empty": func([]byte) []byte { return nil },
		"flip":  func(meta []byte) []byte { return bytes.Replace(meta, []byte(`"max_bytes"`), []byte(`"max_bytev"`), 1) },
		"name":  func(meta []byte) []byte { return bytes.Replace(meta, []byte(`"name":"s"`), []byte(`"name":"u"`), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			publishOne(t, dir, true)
			path := filepath.Join(dir, "jetstream", "$G", "streams", "s", streamMeta)
			meta, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(meta), 0o600); err != nil {
				t.Fatal(err)
			}
			for want := uint64(2); want <= 3; want++ {
				if n := publishOne(t, dir, want == 2); n != want {
					t.Errorf("%d messages, want %d", n, want)
				}
			}
		})
	}
}

// The checksum tells what a flipped bit was, also where nobody creates the stream once more.
func TestFlippedBitOfSettingsIsFlippedBack(t *testing.T) {
	t.Parallel()
	for bit := range 8 {
		dir := t.TempDir()
		publishOne(t, dir, true)
		path := filepath.Join(dir, "jetstream", "$G", "streams", "s", streamMeta)
		meta, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(meta)
		flipped[len(meta)*bit/8] ^= 1 << bit
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		if n := publishOne(t, dir, false); n != 2 {
			t.Errorf("bit %d: %d messages, want 2", bit, n)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, meta) {
			t.Errorf("bit %d: settings are %s, %v", bit, now, err)
		}
	}
}

// Files of another stream that somebody put there are left alone; damaged settings may name another, too.
func TestForeignSettingsAreLeftAlone(t *testing.T) {
	t.Parallel()
	const another = `{"name":"another"}`
	for _, test := range []struct {
		name, meta, want string
		describe         bool
	}{
		{"empty", "", "", false},
		{"of another", another, another, true},
		{"damaged", another, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "s")
			err := os.Mkdir(dir, 0o700)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, streamMeta), []byte(test.meta), 0o600)
			}
			if err == nil && test.describe {
				err = (&blocks.Stream{Name: "another", Dir: dir}).Describe([]byte(test.meta))
			}
			if err == nil {
				err = mend(dir, slog.New(slog.DiscardHandler))
			}
			if err != nil {
				t.Fatal(err)
			}
			if meta, err := os.ReadFile(filepath.Join(dir, streamMeta)); err != nil || string(meta) != test.want {
				t.Errorf("the settings are %q, %v, want %q", meta, err, test.want)
			}
			if _, err := os.Stat(filepath.Join(dir, "meta.sum")); (err == nil) != test.describe {
				t.Errorf("there is a checksum: %v", err == nil)
			}
		})
	}
}
