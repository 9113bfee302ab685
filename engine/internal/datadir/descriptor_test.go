package datadir

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"penstock/internal/format"
)

// A build that took damage for a newer format would send people after a build
// that does not exist.
func TestADamagedDescriptorIsNeverCalledNewer(t *testing.T) {
	data := Descriptor{Format: format.Directory, Pipeline: "orders", Channels: []string{"nats://10.0.0.1:4222"}}.encode()
	about, err := decodeDescriptor(data)
	if err != nil || about.Pipeline != "orders" || !bytes.Equal(about.encode(), data) {
		t.Fatalf("%+v, %v", about, err)
	}
	for i := range data[:len(data)-1] { // the last newline tells nothing
		for bit := range 8 {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << bit
			if about, err := decodeDescriptor(damaged); errors.Is(err, ErrNewerVersion) || err == nil && !bytes.Equal(about.encode(), data) {
				t.Errorf("bit %d of byte %d: %+v, %v", bit, i, about, err)
			}
		}
		if about, err := decodeDescriptor(data[:i]); err == nil || errors.Is(err, ErrNewerVersion) {
			t.Errorf("cut at %d: %+v, %v", i, about, err)
		}
	}
	newer := Descriptor{Format: format.Directory + 1, Pipeline: "orders"}.encode()
	if _, err := decodeDescriptor(newer); !errors.Is(err, ErrNewerVersion) {
		t.Errorf("a newer one: %v", err)
	}
}

// As the first builds wrote it that wrote one.
func TestADescriptorWithoutASumIsRead(t *testing.T) {
	data := []byte("{\n  \"format\": 2,\n  \"pipeline\": \"orders\",\n  \"channels\": [\n    \"nats://10.0.0.1:4222\"\n  ]\n}\n")
	about, err := decodeDescriptor(data)
	if err != nil || about.Pipeline != "orders" || len(about.Channels) != 1 {
		t.Fatalf("%+v, %v", about, err)
	}
	for i := range data[:len(data)-2] {
		if about, err := decodeDescriptor(data[:i]); err == nil {
			t.Errorf("cut at %d: %+v", i, about)
		}
	}
	d := &Directory{Path: t.TempDir()}
	if err := os.WriteFile(d.DescriptorFile(), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Describe(), d.Damaged, d.Claim("orders", "nats://10.0.0.1:4222"), d.Describe(), d.Damaged); err != nil {
		t.Fatal(err)
	}
	if d.About.Sum == "" {
		t.Error("the next run does not give it a sum")
	}
}
