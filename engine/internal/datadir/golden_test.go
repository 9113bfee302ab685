package datadir

import (
	"strings"
	"testing"

	"penstock/internal/format"
)

// If this fails, the file has another form: give it the next number (format.Directory), and read this one too.
func TestTheFormOfADescriptorStaysTheSame(t *testing.T) {
	t.Parallel()
	const plain = "{\n  \"format\": 2,\n  \"pipeline\": \"orders\",\n  \"channels\": [\n    \"nats://10.0.0.1:4222\"\n  ],\n  \"sum\": \"5d2426d0\"\n}\n"
	about := Descriptor{Format: format.PlainDirectory, Pipeline: "orders", Channels: []string{"nats://10.0.0.1:4222"}}
	if got := string(about.encode()); got != plain {
		t.Errorf("%q, want %q", got, plain)
	}
	about.Format = format.Directory
	changed := strings.Replace(strings.Replace(plain, `"format": 2`, `"format": 3`, 1), "5d2426d0", "e914ee9d", 1)
	if got := string(about.encode()); got != changed {
		t.Errorf("%q, want %q", got, changed)
	}
}
