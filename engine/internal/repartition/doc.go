// Package repartition moves the states of a stage to another number of instances, between two runs.
//
// The run that does it has opened the instances that there were, which makes it their owner, has had them handle all
// that was written for them, and has stopped. [Check] says what is left, which is a reason not to move. [Move.Begin]
// makes the new instances: a first frame for each, and the states of the keys that it gets. [Move.Retire] commits a
// last frame for each of those before, so that no other process can go on with them. Then the caller decides, in one
// step (package layout), and only after that something is deleted.
//
//	if left := repartition.Check(run, stage); left != "" {
//		return refusal(left)
//	}
//	m := &repartition.Move{Run: run, Stage: stage, To: stage.Layout().Next(4), Saver: …, Corner: …, Channel: …}
//	err := m.Begin(ctx)   // what there is of the new instances counts for nothing
//	err = m.Retire(ctx)   // those before can go on in this directory only
//	                      // the note of the layout is written: from here on the new ones count
package repartition
