// Package enginetest runs pipelines in tests: with a real server inside the process and real files in a temporary
// directory, so that what passes here behaves the same outside.
//
// A test feeds the stage at hand with [Values], takes what it emits with [Collect], and calls [Run]:
//
//	p := engine.New("test")
//	in := enginetest.Values(p, "in", "a", "b")
//	out := enginetest.Collect(p, "out", engine.Stage(p, "stage", engine.On(in, stage)))
//	status := enginetest.Run(t, p)
//	if got := out.Values(); !slices.Equal(got, []string{"A", "B"}) { … }
//
// Run returns when every stage has ended, and fails the test when that takes too long or the pipeline stops with an error.
// The [engine.Status] that it returns counts what each stage did: messages, restarts, panics, dead letters. [Stage] picks
// one stage of it, and [State] reads the committed state of a stage from the directory of a run.
//
// The option [FastRestarts] keeps a test of failures short.
//
// To see what a crash leaves behind, run the pipeline in a process of its own with a fault point armed (see the package
// faultpoint), and then again on the same directory.
package enginetest
