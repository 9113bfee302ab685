package dlq

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestLetterJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyLetter().Draw(t, "letter").stored(fullLimits)
		if rapid.Bool().Draw(t, "listed") {
			want.Value, want.ValueOmitted = nil, want.ValueBytes > 0
		}
		want.Sequence, want.Queue = rapid.Uint64().Draw(t, "sequence"), "id-1@dn82"
		line, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Fatalf("%q has an unsafe character at %d", line, i)
		}
		var got Letter
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestLetterJSONIsForPeopleToo(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`{"n": 12345678901234567890,` + "\n" + `"s":"` + "\u202e" + `"}`: `"json":{"n":12345678901234567890,"s":"\u202e"}`,
		"33":                             `"json":33`,
		"\xd9\xd9\xf7\xa1aa\x42\x00\xff": `"value":"2dn3oWFhQgD/","json":{"a":{"$bytes":"AP8="}},`,
		"\xd9\xd9\xf7\xa1":               `"value":"2dn3oQ=="`,
		"hello\x1b[2J":                   `"text":"hello\u001b[2J"`,
		"<b>":                            `"text":"<b>"`,
		"\xff":                           `"value":"/w=="`,
		`{"invalid":"` + "\xff" + `"}`:   `"value":"eyJpbnZhbGlkIjoi/yJ9"`,
	} {
		l := letterAt(1)
		l.Value = []byte(value)
		if strings.HasPrefix(value, "\xd9") {
			l.Codec = "cbor"
		}
		line, err := l.MarshalJSON()
		if err != nil || !strings.Contains(string(line), want) {
			t.Errorf("%q: %s, %v; want %s", value, line, err, want)
		}
		if !strings.Contains(want, "json") && strings.Contains(want, "value") && (strings.Contains(string(line), `"json"`) || strings.Contains(string(line), `"text"`)) {
			t.Errorf("%q: %s", value, line)
		}
	}
}

func hostileLetters() []Letter {
	list := make([]Letter, 6)
	for i, value := range []string{
		"\x1b]0;evil\x07\x1b[2J", "\xff\xfe\x00", strings.Repeat("\x00\xff\n", 300_000), "<script>alert(1)</script>", "", `{"a":[1,2]}`,
	} {
		list[i] = letterAt(uint64(i))
		list[i].Key, list[i].Value, list[i].Error = value, []byte(value), value
		if len(value) > 10_000 {
			list[i].Key = value[:10_000]
		}
	}
	list[1].Round, list[1].History, list[1].Chain = 2, []Round{{Reason: ReasonKilled, Error: "\xff"}}, []string{"\x1b"}
	return list
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestExportReportsAFailedWrite(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(1), true)
	if _, err := q.Export(t.Context(), Filter{}, failing{}); !errors.Is(err, io.ErrShortWrite) {
		t.Fatalf("Export = %v", err)
	}
}
