package text

import (
	"errors"

	"penstock/dlq"
	"penstock/engine/redact"
	"penstock/engine/supervise"
)

// OfError is the text of an error, not longer than is of use, and without
// credentials.
func OfError(err error) string {
	if err == nil {
		return ""
	}
	return dlq.Cut(redact.Text(err.Error()), dlq.MaxText)
}

// StackOf is the stack of a panic, "" for another error.
func StackOf(err error) string {
	var panicked *supervise.PanicError
	if !errors.As(err, &panicked) {
		return ""
	}
	return dlq.Cut(redact.Text(string(panicked.Stack)), dlq.MaxText)
}
