package dlq

import (
	"slices"

	"penstock/engine/redact"
)

// Redacted returns the letter without the passwords that its errors and stacks show, for
// people to look at. Key and value are as they are.
func (l Letter) Redacted() Letter {
	l.Error, l.Panic, l.Stack = redact.Text(l.Error), redact.Text(l.Panic), redact.Text(l.Stack)
	l.Chain, l.Attempts, l.History = slices.Clone(l.Chain), slices.Clone(l.Attempts), slices.Clone(l.History)
	for i := range l.Chain {
		l.Chain[i] = redact.Text(l.Chain[i])
	}
	for i := range l.Attempts {
		l.Attempts[i].Error = redact.Text(l.Attempts[i].Error)
	}
	for i := range l.History {
		l.History[i].Error = redact.Text(l.History[i].Error)
	}
	return l
}
