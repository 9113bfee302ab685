package supervise

import "fmt"

// EscalatedError is how a group ends whose child, or the child's recovery function, passed a failure up.
type EscalatedError struct {
	Group string // path of the group; at the root the name of the Supervisor, which may be empty
	Child string
	Cause error
}

// Error names the group, the child and the cause.
func (e *EscalatedError) Error() string {
	return fmt.Sprintf("%schild %q escalated: %v", groupPrefix(e.Group), e.Child, e.Cause)
}

// Unwrap returns Cause.
func (e *EscalatedError) Unwrap() error { return e.Cause }

func groupPrefix(group string) string {
	if group == "" {
		return ""
	}
	return fmt.Sprintf("group %q: ", group)
}
