package dlq

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"
)

func TestCut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, limit := anyBytes(300).Draw(t, "text"), rapid.IntRange(64, 300).Draw(t, "limit")
		got := cut(text, limit)
		switch {
		case len(text) <= limit && got != text:
			t.Fatalf("%q became %q", text, got)
		case len(got) > limit:
			t.Fatalf("%d bytes, limit %d", len(got), limit)
		case utf8.ValidString(text) && !utf8.ValidString(got):
			t.Fatalf("%q is cut within a character", got)
		case len(text) > limit && !strings.HasSuffix(got, fmt.Sprintf("[cut, %d bytes in all]", len(text))):
			t.Fatalf("%q does not say that it is cut", got)
		}
	})
}

func TestStoredIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		once := anyLetter().Draw(t, "letter").stored(fullLimits)
		if twice := once.stored(fullLimits); !reflect.DeepEqual(once, twice) {
			t.Fatalf("once  %+v\ntwice %+v", once, twice)
		}
	})
}

func TestAttemptsKeepFirstAndLast(t *testing.T) {
	t.Parallel()
	l := letterAt(0)
	for i := range 100 {
		l.Attempts = append(l.Attempts, Attempt{Error: fmt.Sprint(i)})
	}
	got := l.stored(fullLimits)
	if len(got.Attempts) != 16 || got.AttemptsOmitted != 84 {
		t.Fatalf("%d attempts, %d omitted", len(got.Attempts), got.AttemptsOmitted)
	}
	if got.Attempts[0].Error != "0" || got.Attempts[1].Error != "85" || got.Attempts[15].Error != "99" {
		t.Fatalf("attempts %v", got.Attempts)
	}
	if len(l.Attempts) != 100 || l.Attempts[1].Error != "1" {
		t.Fatal("the caller's list changed")
	}
}

func TestHeadersFit(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"x", "\n", "\x00", "\xff", "😀", `"`, "a\n", "aaa\n\t"} {
		l := greatest(unit)
		if full := headerSize(encode(l, fullLimits, strings.Repeat("w", 26)).Header); full > math.MaxUint16 {
			t.Errorf("%q: %d bytes of headers, the server takes %d", unit, full, math.MaxUint16)
		}
		request := Replay{Letter: l, Stage: l.To, Instance: 1<<63 - 1, LetterSequence: 1<<64 - 1}
		if full := headerSize(encodeReplay(request, fullLimits, strings.Repeat("w", 26)).Header); full > math.MaxUint16 {
			t.Errorf("%q: %d bytes of headers of a request, the server takes %d", unit, full, math.MaxUint16)
		}
		for _, key := range []string{l.Key, l.Key[:smallLimits.key]} {
			l.Key = key
			request.Letter = l
			for what, msg := range map[string]*nats.Msg{
				"letter":  encode(l, smallLimits, strings.Repeat("w", 26)),
				"request": encodeReplay(request, smallLimits, strings.Repeat("w", 26)),
			} {
				small := headerSize(msg.Header) + len(msg.Data) - len(l.Value) - len(key)
				if small > Overhead {
					t.Errorf("%s of %q: %d bytes besides value and key, want at most %d", what, unit, small, Overhead)
				}
			}
		}
	}
}
