package wordcount

import (
	"context"
	"errors"
	"strconv"

	"penstock/engine"
	"penstock/stages"
)

// Config says what is counted. Files and Output are required.
type Config struct {
	// Files are files and directories, see stages.Files.
	Files []string
	// Extensions, such as ".go", are those of the files that are read in
	// directories. Default: all.
	Extensions []string
	// Output is the file that gets the result. One that is there is
	// overwritten.
	Output string
	// MaxLine is the longest line in bytes, default DefaultMaxLine. The words of
	// a line are emitted in one call: of a longer line they have to fit into a
	// message of the server.
	MaxLine int
	// LongLines says what happens to a longer one, see stages.Files.
	LongLines stages.LongLines
	// AcceptChanges goes on with other files than a run that was interrupted
	// left, see stages.Files.
	AcceptChanges bool
}

// DefaultMaxLine is the longest line unless Config says otherwise. Also the
// shortest words of such a line are less than the embedded server takes at once.
const DefaultMaxLine = 2 << 20

// New declares the pipeline "wordcount". Run it with engine.Pipeline.Run.
func New(config Config) (*engine.Pipeline, error) {
	if len(config.Files) == 0 {
		return nil, errors.New("wordcount: no files: name at least one file or directory")
	}
	if config.Output == "" {
		return nil, errors.New("wordcount: no output: name a file for the result")
	}
	files := stages.Files{Roots: config.Files, MaxLine: config.MaxLine, LongLines: config.LongLines, AcceptChanges: config.AcceptChanges}
	if files.MaxLine <= 0 {
		files.MaxLine = DefaultMaxLine
	}
	if len(config.Extensions) > 0 {
		files.Match = stages.Extensions(config.Extensions...)
	}

	p := engine.New("wordcount")
	lines := engine.Source(p, "lines", files.Lines())
	words := engine.Stage(p, "split", engine.On(lines, split))
	byWord := engine.KeyBy(words, func(word string) string { return word })
	counts := engine.Stage(p, "count",
		engine.On(byWord, count),
		engine.Hooks[uint64, Count]{End: report}).WithCodec(countCodec{})
	stages.FileSink(p, "report", counts, config.Output, line)
	return p, nil
}

func split(_ context.Context, _ *struct{}, m engine.Message[string], emit engine.Emit[string]) error {
	for word := range words(m.Value) {
		emit(word)
	}
	return nil
}

// count gets the counter of the message's word.
func count(_ context.Context, n *uint64, _ engine.Message[string], _ engine.Emit[Count]) error {
	*n++
	return nil
}

// report is called at the end, once for each word.
func report(ctx context.Context, n *uint64, emit engine.Emit[Count]) error {
	emit(Count{Word: engine.CurrentKey(ctx), N: *n})
	return nil
}

// line is "<count> <word>".
func line(dst []byte, c Count) []byte {
	dst = strconv.AppendUint(dst, c.N, 10)
	dst = append(dst, ' ')
	dst = append(dst, c.Word...)
	return append(dst, '\n')
}
