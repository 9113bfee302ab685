// Package unstablecounter has a counter that overflows: a stage that fails again and again, and a recovery function,
// replaced while the stage runs, that decides from where it resumes.
//
//	counter ──> display
//
// The counter has 8 bits and is incremented every 10 ms. At the 256th tick it overflows, and panics. Every 1000 ms
// since its start it takes a snapshot: it gives the engine a new recovery function (engine.SetRecovery) that restarts
// it with the count of that moment, instead of the one it had when it failed. The first life takes snapshots at 100 and
// 200, and reaches the overflow 56 ticks after the second. Each later life begins at 200 and lasts 56 ticks, too short
// for a snapshot of its own. So in 5 s the counter panics at the ticks 256, 312, 368, 424 and 480; it goes on from 200,
// and never from 0.
//
// A recovery function lasts as long as the process. The snapshot is therefore also in the counter's state, where a kill
// -9 leaves it, and the Start hook makes the recovery function from it again.
//
// The display shows each count once and in order, whatever happens to the counter: a tick that panics emits nothing.
//
// [New] makes the pipeline, and [Options.Tick] is its clock, so that a test need not wait.
package unstablecounter
