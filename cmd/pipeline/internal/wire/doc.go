// Package wire is what the control socket answers and what the verbs print alike: the report of
// a run, the states of keys and the events of stages, each as JSON on lines.
package wire
