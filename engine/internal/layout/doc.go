// Package layout keeps in a data directory which instances run the stages whose number of partitions has changed
// ([plan.Layout]).
//
// There is one note for all stages in the store of the checkpoints. It is written in one step, and the moment when it
// is written decides: before it a stage runs in the instances that it had, after it in the new ones, whatever else a
// crash has left half done. A directory in which no number was ever changed has no note.
//
//	note, err := layout.Read(store)       // of a directory without a note: the zero Note
//	in := note.Of("tally")                // in which instances tally runs, if that was changed
//	note.Moving["tally"] = in.Next(4)     // it is being moved to four others
//	err = note.Write(store)
package layout
