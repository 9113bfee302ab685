// Package control serves the control socket for a program that runs its pipeline itself, without package cli. While the
// pipeline runs, the verbs state, dlq, events and doctor of the command pipeline work on it, and so do those of every
// program that is made with package cli.
//
//	err := p.Run(ctx, control.With(p, engine.Config{Dir: dir}))
//
//	$ pipeline state worker --dir DIR
//
// It links no parser of command lines and no telemetry. See package cli for a program that has the verbs itself.
package control
