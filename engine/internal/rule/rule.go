//go:build !penstock_mutation

package rule

// The rules, all in force.
const (
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
