package text

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine/supervise"
)

func TestNumbersAreShort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{Short(0.04), "0"}, {Short(0.25), "0.2"}, {Short(7), "7"}, {Short(9.96), "10"}, {Short(999), "999"}, {Short(999.6), "1.0k"}, {Short(12345), "12k"}, {Short(3e6), "3.0M"},
		{Size(1023), "1023 B"}, {Size(1024), "1.0 KiB"}, {Size(20 << 20), "20 MiB"}, {Size(5 << 40), "5.0 TiB"},
		{Seconds(math.NaN()), "0 s"}, {Seconds(-1), "0 s"}, {Seconds(5e-6), "5 µs"}, {Seconds(0.0015), "1.5 ms"}, {Seconds(0.25), "250 ms"},
		{Seconds(2.5), "2.5 s"}, {Seconds(90), "90 s"}, {Seconds(600), "10 min"}, {Seconds(7200), "2 h"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// What is shown of an error has no credentials and no endless text.
func TestErrorsAreCutAndRedacted(t *testing.T) {
	t.Parallel()
	if OfError(nil) != "" || StackOf(errors.New("no panic")) != "" {
		t.Error("a text of nothing")
	}
	long := strings.Repeat("x", 2*dlq.MaxText)
	panicked := fmt.Errorf("wrapped: %w", &supervise.PanicError{Stack: []byte("nats://u:s3cret@h\n" + long)})
	for _, text := range []string{OfError(errors.New("nats://u:s3cret@h " + long)), StackOf(panicked)} {
		if text == "" || strings.Contains(text, "s3cret") || len(text) > dlq.MaxText+64 {
			t.Errorf("%d bytes: %.80s", len(text), text)
		}
	}
}
