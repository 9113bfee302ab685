// Package cli makes a program of your pipelines. With a main function of ten lines it has every verb of the command
// pipeline. cmd/pipeline is made of it too.
//
//	func main() {
//		cli.Main(func(app *cli.App) {
//			app.Add("orders", "Handle orders.", &orders{})
//		})
//	}
//
// [App.Add] adds a pipeline, with a struct of its flags and arguments, and [App.AddFunc] one without any. The program
// has the verbs run NAME, state, events, dlq, graph, doctor, repair, replay-telemetry, nats-permissions and version,
// with all flags, the guard, the dashboard, the control socket and the exit codes that docs/guide.md describes. Its
// help, its errors and the commands in its log use its own name.
//
// Exit codes: 0 complete, or stopped by a signal; 1 failed; 2 the command line must be changed; 3 a verb that
// looks into a pipeline (state, events, dlq, doctor, repair) could not look. docs/operations.md has the table.
//
// A program that calls [engine.Pipeline.Run] itself can serve the control socket, so that the verbs of any such program
// work on it while it runs: see [WithControl], and package control, which links no parser of command lines. For tests
// there is [Run].
package cli
