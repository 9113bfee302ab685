package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"penstock/engine"
)

func TestStateView(t *testing.T) {
	t.Parallel()
	type pair struct{ key, state string }
	for name, test := range map[string]struct {
		pairs []pair
		empty bool // there is the key ""
		want  string
	}{
		"one state":     {[]pair{{"", "{ \"a\" :\n1 }"}}, false, `{"a":1}` + "\n"},
		"the empty key": {[]pair{{"", "1"}, {"k\u009b", "2"}}, true, `{"key":"","state":1}` + "\n" + `{"key":"k\u009b","state":2}` + "\n"},
		"no key":        {nil, false, ""},
	} {
		view := StateView{
			One: func(string) (json.RawMessage, error) {
				if test.empty {
					return json.RawMessage("1"), nil
				}
				return nil, engine.ErrNoState
			},
			Each: func(fn func(string, json.RawMessage) error) error {
				for _, p := range test.pairs {
					if err := fn(p.key, json.RawMessage(p.state)); err != nil {
						return err
					}
				}
				return nil
			},
		}
		var out strings.Builder
		if err := view.Write(&out, nil); err != nil || out.String() != test.want {
			t.Errorf("%s: %q, %v, want %q", name, out.String(), err, test.want)
		}
	}
}
