// Package enginetest runs pipelines in tests: in memory, where the test of a whole pipeline takes milliseconds, or with
// a real server inside the process and real files in a temporary directory.
//
// A test feeds a stage with [Values], collects what it emits with [Collect], and calls [Run]:
//
//	p := engine.New("test")
//	in := enginetest.Values(p, "in", "a", "b")
//	out := enginetest.Collect(p, "out", engine.Stage(p, "stage", engine.On(in, stage)))
//	status := enginetest.Run(t, p, enginetest.NewMemory().In)
//	if got := out.Values(); !slices.Equal(got, []string{"A", "B"}) { … }
//
// Run returns when every stage has ended, and fails the test when that takes too long or the pipeline stops with an
// error. The [observe.Status] that it returns counts what each stage did: messages, restarts, panics, dead letters.
// [Stage] picks one stage of it, and [State] reads the committed state of a stage from the directory of a run,
// [StateIn] from a memory.
//
// With a [Memory] the engine is the real one: its frames, positions, restarts, attempts and dead letters. Leave it out
// to run on the real server and the real store. The same test then takes about a twentieth of a second. Do so before a
// release, or where a test is about the server, files or a crash.
//
// The option [FastRestarts] keeps a test of failures short.
//
// To see what a crash leaves, run the pipeline in its own process with an armed fault point (see the package
// faultpoint), and then again on the same directory.
package enginetest
