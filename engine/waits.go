package engine

import "penstock/engine/internal/task"

// WaitKinds lists the kinds of waits that may become overdue, as observe.Wait says them.
func WaitKinds() []string { return task.WaitKinds() }
