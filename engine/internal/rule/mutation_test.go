//go:build penstock_mutation

package rule

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const childMark = "RULE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childMark) == "" {
		os.Exit(m.Run())
	}
	fmt.Println(PositionCheck, BaseOffsetCheck, Fencing, TrimBound, ForeignCheck, Claiming, SealExpectation, SealBeforeRead, DrainBeforeMove)
}

func child(t *testing.T, without string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childMark+"=1", variable+"="+without)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func TestWithout(t *testing.T) {
	t.Parallel()
	for without, want := range map[string]string{
		"":                       "true true true true true true true true true",
		"position-check":         "false true true true true true true true true",
		"base-offset-check":      "true false true true true true true true true",
		"fencing":                "true true false true true true true true true",
		"trim-bound":             "true true true false true true true true true",
		"foreign-check":          "true true true true false true true true true",
		"claiming":               "true true true true true false true true true",
		"seal-expectation":       "true true true true true true false true true",
		"seal-before-read":       "true true true true true true true false true",
		"drain-before-move":      "true true true true true true true true false",
		"position-check,fencing": "false true false true true true true true true",
		"position-check,fencing,trim-bound,base-offset-check,foreign-check": "false false false false false true true true true",
	} {
		if got, err := child(t, without); err != nil || got != want {
			t.Errorf("without %q: rules = %q, %v; want %q", without, got, err, want)
		}
	}
}

func TestUnknownRuleEndsTheProcess(t *testing.T) {
	t.Parallel()
	for _, without := range []string{"gravity", "fencing,", "Fencing"} {
		out, err := child(t, without)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(out, "unknown rule") {
			t.Errorf("without %q: exit = %v, message %q; want status 2 and the unknown name", without, err, out)
		}
	}
}
