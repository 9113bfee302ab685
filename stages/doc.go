// Package stages holds ready-made sources and sinks for engine pipelines.
//
// A source is a function for engine.Source:
//
//	lines := engine.Source(p, "lines", stages.Lines("access.log"))
//	beats := engine.Source(p, "heartbeat", stages.Heartbeat(time.Second, 0))
//
// [Lines] and [Files] read text files and directories, [Heartbeat] is a clock. Their place is part of their state, so
// an interrupted run resumes at its last commit, and files that have changed since are refused.
//
// A sink has a declaration of its own, since it needs hooks around the commit:
//
//	stages.FileSink(p, "report", words, "report.txt", stages.Line)
//	stages.WriterSink(p, "print", words, os.Stdout, stages.Line)
//
// [FileSink] writes each message exactly once, also across crashes: the length of the file is part of the commit.
// [WriterSink] writes to any io.Writer, which cannot be cut back: after a crash the last messages may come twice. Both
// take a function that appends a value to a buffer, such as [Line].
package stages
