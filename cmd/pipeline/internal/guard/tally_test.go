package guard

import "testing"

func TestTallyCountsASignalThatCameTwoWaysOnce(t *testing.T) {
	t.Parallel()
	// d: a signal came directly; p: it was passed on; g: the guard is gone.
	// The result has a mark for each that counts.
	for came, want := range map[string]string{
		"d": "x", "p": "x", "g": "x",
		"dp": "x.", "pd": "x.", "dpdp": "x.x.", "ddpp": "xx..", "ppdd": "xx..",
		"dd": "xx", "pp": "xx",
		"dg": "x.", "pg": "x.", "gd": "x.", "gdd": "x.x",
	} {
		var tally tally
		got := ""
		for _, way := range came {
			isNew := false
			switch way {
			case 'd':
				isNew = tally.countDirect()
			case 'p':
				isNew = tally.countPassed()
			case 'g':
				isNew = tally.countGone()
			}
			got += map[bool]string{true: "x", false: "."}[isNew]
		}
		if got != want {
			t.Errorf("%s: %s, want %s", came, got, want)
		}
	}
}

func TestParseTold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]told{
		"":                              {},
		"ready\n":                       {ready: true},
		"ready\ncomplete\n":             {ready: true, complete: true},
		"ready\ncomplete\nexit 0\n":     {ready: true, complete: true, exited: true},
		"exit 2\n":                      {exited: true, code: 2},
		"exit \n":                       {},
		"handled 12\nready\n":           {ready: true, handled: 12},
		"handled x\n":                   {},
		"something else\nready\nexit 1": {ready: true, exited: true, code: 1},
	} {
		if got := parseTold(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
