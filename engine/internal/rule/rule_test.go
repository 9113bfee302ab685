//go:build !penstock_mutation

package rule

import "testing"

// Compiles only while every rule is a constant, which is what makes the question free.
const allInForce = PositionCheck && BaseOffsetCheck && Fencing && TrimBound && ForeignCheck && Claiming && SealExpectation && SealBeforeRead && DrainBeforeMove

func TestNormalBuildHasEveryRule(t *testing.T) {
	t.Parallel()
	if !allInForce {
		t.Error("a normal build lacks a rule")
	}
}
