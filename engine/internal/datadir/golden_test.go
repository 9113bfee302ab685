package datadir

import (
	"testing"

	"penstock/internal/format"
)

// If this fails, the file has another form: give it the next number (format.Directory), and read this one too.
func TestTheFormOfADescriptorStaysTheSame(t *testing.T) {
	t.Parallel()
	const want = "{\n  \"format\": 2,\n  \"pipeline\": \"orders\",\n  \"channels\": [\n    \"nats://10.0.0.1:4222\"\n  ],\n  \"sum\": \"5d2426d0\"\n}\n"
	about := Descriptor{Format: format.Directory, Pipeline: "orders", Channels: []string{"nats://10.0.0.1:4222"}}
	if got := string(about.encode()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
