// Package waits names what a stage, or a whole run, waits for, knows how long each kind may last, and reports those
// that last longer. It knows nothing of stages: each begins and ends its waits in a [Set], and a [Watch] gets the lists
// of all.
package waits
