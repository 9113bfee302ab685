package dlq

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const base64Prefix = "base64:"

// encodeText turns any bytes into one line that decodes to the same bytes, of at most 1.5 times their length and a
// little.
func encodeText(s string) string {
	if jsonHolds(s) {
		return toJSON(s)
	}
	return base64Prefix + base64.StdEncoding.EncodeToString([]byte(s))
}

func decodeText(s string) (string, error) {
	if encoded, ok := strings.CutPrefix(s, base64Prefix); ok {
		raw, err := base64.StdEncoding.DecodeString(encoded)
		return string(raw), err
	}
	if text, ok := plainText(s); ok {
		return text, nil
	}
	var text string
	err := json.Unmarshal([]byte(s), &text)
	return text, err
}

// plainText decodes the usual JSON strings: a listing meets very many. It leaves the others to encoding/json.
func plainText(s string) (string, bool) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' || !utf8.ValidString(s) {
		return "", false
	}
	s = s[1 : len(s)-1]
	text := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			if i++; i == len(s) {
				return "", false
			}
			switch c = s[i]; c {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case '"', '\\':
			default:
				return "", false
			}
		} else if c == '"' || c < ' ' {
			return "", false
		}
		text = append(text, c)
	}
	return string(text), true
}

// jsonHolds is false for a text that JSON would change (invalid UTF-8) or blow up (mostly control characters).
func jsonHolds(s string) bool {
	return utf8.ValidString(s) && len(toJSON(s)) <= len(s)*3/2+16
}

// toJSON encodes what cannot fail, in one line. It leaves < > & readable and nothing that a terminal would act on.
func toJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("dlq: encode %T: %v", v, err))
	}
	return escapeUnprintable(strings.TrimSuffix(b.String(), "\n"))
}

// escapeUnprintable works on JSON, in which such characters occur within strings only.
func escapeUnprintable(s string) string {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !unprintable(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

type attemptJSON struct {
	Time   string `json:"time"`
	Error  string `json:"error,omitempty"`
	Base64 []byte `json:"errorBase64,omitempty"`
}

func encodeAttempts(list []Attempt) string {
	out := make([]attemptJSON, len(list))
	for i, a := range list {
		out[i].Time = encodeTime(a.Time)
		if jsonHolds(a.Error) {
			out[i].Error = a.Error
		} else {
			out[i].Base64 = []byte(a.Error)
		}
	}
	return toJSON(out)
}

func decodeAttempts(s string) ([]Attempt, error) {
	var in []attemptJSON
	if err := json.Unmarshal([]byte(s), &in); err != nil {
		return nil, err
	}
	list := make([]Attempt, len(in))
	for i, a := range in {
		t, err := decodeTime(a.Time)
		if err != nil {
			return nil, fmt.Errorf("attempt %d: %w", i, err)
		}
		list[i] = Attempt{Time: t, Error: a.Error}
		if a.Base64 != nil {
			list[i].Error = string(a.Base64)
		}
	}
	return list, nil
}

// encodeTime writes RFC 3339, and for years that it has no form for, "unix:seconds.nanoseconds": users choose a
// message's time freely.
func encodeTime(t time.Time) string {
	t = t.UTC()
	if y := t.Year(); y >= 0 && y <= 9999 {
		return t.Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("unix:%d.%09d", t.Unix(), t.Nanosecond())
}

func decodeTime(s string) (time.Time, error) {
	unix, ok := strings.CutPrefix(s, "unix:")
	if !ok {
		return time.Parse(time.RFC3339Nano, s)
	}
	whole, fraction, _ := strings.Cut(unix, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	nanoseconds, err := strconv.ParseUint(fraction, 10, 30)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC(), nil
}

// timeReader reads times and keeps the first error.
type timeReader struct{ err error }

func (r *timeReader) read(name, s string) time.Time {
	t, err := decodeTime(s)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("its field %q is %q, which is no time", name, cut(s, shownText))
	}
	return t
}
