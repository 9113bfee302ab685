package ledger

import (
	"bytes"
	"maps"
	"strings"
	"testing"
)

// perfect is a run without any mistake.
func perfect(c Config) ([]string, Result) {
	r := Result{Book: map[string]Account{}, Tally: Tally{c.Entries, c.Entries * (c.Entries - 1) / 2}}
	var lines []string
	for entry := range c.Entries {
		if Refused(entry) {
			r.Letters = append(r.Letters, entry)
			continue
		}
		key := c.Key(entry)
		a := r.Book[key]
		a = Account{a.N + 1, entry * 12345, a.Balance + entry*12345}
		r.Book[key] = a
		lines = append(lines, string(AppendLine(nil, Posting{key, entry, a.N, a.Amount, a.Balance})))
	}
	r.Audit = Audit{uint64(len(lines)), maps.Clone(r.Book)}
	return lines, r
}

func TestCheckFindsEveryMistake(t *testing.T) {
	t.Parallel()
	c := Config{Entries: 700}.WithDefaults()
	for name, spoil := range map[string]struct {
		do   func(lines []string, r *Result) []string
		want string
	}{
		"nothing":         {func(l []string, _ *Result) []string { return l }, ""},
		"a lost line":     {func(l []string, _ *Result) []string { return append(l[:300:300], l[301:]...) }, "key k0"},
		"a lost tail":     {func(l []string, _ *Result) []string { return l[:len(l)-1] }, "missing"},
		"a doubled line":  {func(l []string, _ *Result) []string { return append(l[:301:301], l[300:]...) }, "want"},
		"an exchange":     {func(l []string, _ *Result) []string { l[100], l[197] = l[197], l[100]; return l }, "want"},
		"a torn line":     {func(l []string, _ *Result) []string { l[5] = l[5][:4] + "\n"; return l }, "four numbers"},
		"another amount":  {func(l []string, _ *Result) []string { l[7] = "k007 7 1 1 2\n"; return l }, "balance"},
		"another state":   {func(l []string, r *Result) []string { r.Book["k001"] = Account{1, 1, 1}; return l }, "k001"},
		"a lost state":    {func(l []string, r *Result) []string { delete(r.Book, "k001"); return l }, "accounts of the book"},
		"a lost letter":   {func(l []string, r *Result) []string { r.Letters = r.Letters[1:]; return l }, "entry 50 is 0 times"},
		"another letter":  {func(l []string, r *Result) []string { r.Letters[0] = 51; return l }, "entry 51 is among"},
		"a doubled entry": {func(l []string, r *Result) []string { r.Tally.Count++; return l }, "tally"},
		"an audit behind": {func(l []string, r *Result) []string { r.Audit.Seen--; return l }, "the audit saw"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, r := perfect(c)
			r.Postings = strings.NewReader(strings.Join(spoil.do(lines, &r), ""))
			err := Check(c, r)
			switch {
			case spoil.want == "" && err != nil:
				t.Errorf("a perfect run is refused: %v", err)
			case spoil.want != "" && (err == nil || !strings.Contains(err.Error(), spoil.want)):
				t.Errorf("error = %v, want %q", err, spoil.want)
			}
		})
	}
}

func TestLineRoundTrip(t *testing.T) {
	t.Parallel()
	want := Posting{"k001", 1, 2, 1 << 63, 1<<64 - 1}
	line := AppendLine(nil, want)
	if got, err := ParseLine(string(bytes.TrimSuffix(line, []byte("\n")))); err != nil || got != want {
		t.Errorf("parsed %+v, %v; want %+v", got, err, want)
	}
}
