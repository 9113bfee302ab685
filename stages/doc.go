// Package stages holds ready-made sources and sinks for engine pipelines.
//
// A source is a function to hand to engine.Source:
//
//	lines := engine.Source(p, "lines", stages.Lines("access.log"))
//	beats := engine.Source(p, "heartbeat", stages.Heartbeat(time.Second, 0))
//
// [Lines] and [Files] read text files and directories, [Heartbeat] is a clock. Their place is part of their state, so a run
// that was interrupted goes on where its last commit left off, and files that have changed since are refused.
//
// A sink is declared by a call of its own, since it needs hooks around the commit:
//
//	stages.FileSink(p, "report", words, "report.txt", stages.Line)
//	stages.WriterSink(p, "print", words, os.Stdout, stages.Line)
//
// [FileSink] writes each message exactly once, also across crashes: the length of the file is part of the commit. [WriterSink]
// writes to any io.Writer, which cannot be taken back: after a crash the last messages may come twice. Both say how a value
// looks by a function that appends it to a buffer, such as [Line].
package stages
