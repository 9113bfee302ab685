package stages

import "penstock/engine/remedy"

// What mends errors of [Files], besides the remedies of package remedy.
var (
	// RaiseMaxLine is a larger Files.MaxLine.
	RaiseMaxLine = remedy.Remedy{Name: "Files.MaxLine"}
	// SetLongLines is Files.LongLines; its argument is the value.
	SetLongLines = remedy.Remedy{Name: "Files.LongLines"}
	// TakeChanges is Files.AcceptChanges.
	TakeChanges = remedy.Remedy{Name: "Files.AcceptChanges"}
)
