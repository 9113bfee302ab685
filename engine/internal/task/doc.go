// Package task runs stages. Package engine declares them and hands them over as a plan (package plan) with the user's
// functions behind the interface [Functions].
//
// In the order in which a reader meets it:
//
//   - A [Run] is what the stages of one run share: settings, server, checkpoints, supervision.
//   - An [Instance] is a stage as the others see it, from the first start to the end of the run. What others must know
//     of it they ask by the interface peer.
//   - A [Task] is an instance's hold on its stage, from the take-over until another owner comes or a function hangs. It
//     has the [Input]s, the call at hand, the batch of outputs and state changes since the last commit, and the
//     transaction whose answer is awaited (txn.go). It has one life after the other (life.go): a fault ends the life
//     and not the task. Its loop is loop.go; what a [Source] does differently is its role (role.go).
//   - invoke.go calls the functions of every stage but those of a source, which feeder.go calls in their own goroutine.
//     Only commit.go commits.
//   - What fails is undone and tried again (attempt.go, retry.go), becomes a dead letter (divert.go, letters.go), or
//     ends the life (fault.go). A message that kills the process is found in quarantine mode (quarantine_turn.go).
//   - Package checkpointer writes the committed states to the store. Then each instance trims its channel (trim.go).
//   - Everything that can last is a wait with a name (waits.go).
//
// docs/design.md tells the way of a message through these files.
package task
