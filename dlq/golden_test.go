package dlq

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// If this fails, a letter has another form on the server: give it the next number (format.Letter), and read this one too.
func TestTheFormOfALetterStaysTheSame(t *testing.T) {
	t.Parallel()
	const want = `Nats-Expected-Last-Subject-Sequence: 0
Nats-Expected-Stream: fizzbuzz++dead-letters
Penstock-At: 0001-01-01T00:00:00Z
Penstock-Attempts: [{"time":"0001-01-01T00:00:00Z","error":"no"}]
Penstock-Attempts-Omitted: 2
Penstock-Codec: "cbor"
Penstock-Error: "no such\norder"
Penstock-Input: generator
Penstock-Input-Instance: 0
Penstock-Instance: 0
Penstock-Key: "user-17"
Penstock-Letter: 2
Penstock-Offset: 33
Penstock-Original-Bytes: 1
Penstock-Pipeline: fizzbuzz
Penstock-Reason: panic
Penstock-Stage: worker
Penstock-Time: 0001-01-01T00:00:00Z
Penstock-Write: w
`
	l := letterAt(33)
	l.Value, l.Original, l.Key, l.Codec, l.Error = []byte("{}"), []byte("1"), "user-17", "cbor", "no such\norder"
	l.Attempts, l.AttemptsOmitted = []Attempt{{Error: "no"}}, 2
	msg := encode(l, fullLimits, "w")
	var got strings.Builder
	for _, name := range slices.Sorted(maps.Keys(msg.Header)) {
		got.WriteString(name + ": " + strings.Join(msg.Header[name], " | ") + "\n")
	}
	if got.String() != want || string(msg.Data) != "{}1" || msg.Subject != "fizzbuzz.worker.0.dead.generator.0.33" {
		t.Errorf("%s:\n%s", msg.Subject, got.String())
	}
}
