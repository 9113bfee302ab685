// Package waits names what a stage, or a whole run, waits for, knows how long each kind may last, and reports those
// that last longer. It knows no stage: who waits begins and ends its waits in a [Set], and a [Watch] is shown the lists
// of all.
package waits
