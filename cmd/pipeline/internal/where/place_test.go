package where

import (
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
)

func TestPlace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ dir, state, home, want string }{
		{"/d", "/s", "/h", "/d"},
		{"", "/s", "/h", "/s/penstock/p"},
		{"", "s", "/h", "/h/.local/state/penstock/p"},
		{"", "", "/h", "/h/.local/state/penstock/p"},
		{"", "", "", ""},
	} {
		env := map[string]string{"XDG_STATE_HOME": test.state, "HOME": test.home}
		got, err := (Place{Dir: flags.Path(test.dir)}).Directory("p", func(name string) string { return env[name] })
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
		if err != nil && app.ExitCode(err) != app.ExitUsage {
			t.Errorf("%+v: exit %d", test, app.ExitCode(err))
		}
	}
}
