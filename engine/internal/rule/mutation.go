//go:build penstock_mutation

package rule

import (
	"fmt"
	"os"
	"strings"
)

// The rules; each is in force unless PENSTOCK_WITHOUT names it. They do not change after the start.
var (
	PositionCheck   = true
	BaseOffsetCheck = true
	Fencing         = true
	TrimBound       = true
	ForeignCheck    = true
	Claiming        = true
	SealExpectation = true
	SealBeforeRead  = true
	DrainBeforeMove = true
)

const variable = "PENSTOCK_WITHOUT"

func init() {
	if err := remove(os.Getenv(variable)); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", variable, err)
		os.Exit(2)
	}
}

func remove(list string) error {
	if list == "" {
		return nil
	}
	for name := range strings.SplitSeq(list, ",") {
		switch name {
		case "position-check":
			PositionCheck = false
		case "base-offset-check":
			BaseOffsetCheck = false
		case "fencing":
			Fencing = false
		case "trim-bound":
			TrimBound = false
		case "foreign-check":
			ForeignCheck = false
		case "claiming":
			Claiming = false
		case "seal-expectation":
			SealExpectation = false
		case "seal-before-read":
			SealBeforeRead = false
		case "drain-before-move":
			DrainBeforeMove = false
		default:
			return fmt.Errorf("unknown rule %q: want position-check, base-offset-check, fencing, trim-bound, foreign-check, claiming, seal-expectation, seal-before-read or drain-before-move", name)
		}
	}
	return nil
}
