package supervise_test

import (
	"slices"
	"strings"
	"testing"
)

// What the oracle is to complain of, it does: each bad log breaks a rule that its good sibling keeps.
func TestOracleCanFail(t *testing.T) {
	t.Parallel()
	for _, logs := range []map[string]badLog{badRestarts(), badPolicies(), badEnds()} {
		for name, c := range logs {
			if got := judge(c.root, tale(t, c.good)); len(got) > 0 {
				t.Errorf("%s: the good log is complained of:\n%s", name, strings.Join(got, "\n"))
			}
			got := judge(c.root, tale(t, c.bad))
			if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, c.rule+": ") }) {
				t.Errorf("%s: want a complaint of %q, and got:\n%s", name, c.rule, strings.Join(got, "\n"))
			}
		}
	}
}

type badLog struct {
	root *node
	good string // no complaint
	bad  string // a complaint of rule
	rule string
}

// What logs are made of, for the children of a family.
const (
	allUp  = "0 a starting; 0 b starting; 0 c starting; 0 a began 0; 0 b began 0; 0 c began 0\n"
	bFails = "5 b ended 0 fails; 5 b fault error; 5 b backoff 1 1s error\n"
	cStops = "5 c told 0; 5 c ended 0 obeys; 5 c stopped shutdown\n"
	aStops = "5 a told 0; 5 a ended 0 obeys; 5 a stopped shutdown\n"
	bAgain = "6 b restarting 1; 6 b began 1\n"
)
