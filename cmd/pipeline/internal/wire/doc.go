// Package wire has what the control socket answers and the verbs print: the report of a run, the states of keys and the
// events of stages, each as lines of JSON.
package wire
