// Package control lets a run be asked that a program starts by itself, without the command: while
// it runs, the control socket in its data directory answers the verbs state, dlq, events and
// doctor of the command pipeline, and of every program that package cli makes.
//
//	err := p.Run(ctx, control.With(p, engine.Config{Dir: dir}))
//
//	$ pipeline state worker --dir DIR
//
// It links no parser of command lines and no telemetry: see package cli for a program that has the
// verbs itself.
package control
