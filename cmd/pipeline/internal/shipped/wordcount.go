package shipped

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/engine"
	"penstock/engine/remedy"
	"penstock/examples/wordcount"
	"penstock/stages"
)

// Wordcount counts words.
type Wordcount struct {
	Files  []flags.Path     `arg:"" name:"file" help:"Files to read, and directories whose files are all read. Files compressed with gzip, bzip2 or zstd are decompressed; other compressed files are refused."`
	Ext    flags.Extensions `placeholder:".go,.txt" help:"In directories read only files with these extensions. Default: all."`
	Output flags.Path       `default:"counts.txt" placeholder:"FILE" help:"File for the result, with a line \"<count> <word>\" for each word. Default: counts.txt in the current directory. An existing file is overwritten."`

	MaxLine   flags.Size `default:"2MiB" placeholder:"SIZE" help:"The longest line. The words of a line are sent together, so the words of a longer line may not fit into one message of the server. Default: 2MiB."`
	LongLines string     `enum:"stop,skip,letter" default:"stop" placeholder:"stop|skip|letter" help:"What to do with a line that is longer, or that does not fit into a message of the server (8 MiB without --nats): stop with an error that names it; skip it, which is logged and counted as dropped; or make it a dead letter, which keeps its first 64 KiB. Default: stop."`
	Accept    bool       `name:"accept-changes" help:"Resume although the files have changed since the interrupted run. What was counted stays counted: a file that was read is not read again, and a new one that sorts before the current place is not read. If the file that was being read was replaced, cut or changed, it is read again from its beginning."`
}

// Pipeline makes it.
func (c *Wordcount) Pipeline() (*engine.Pipeline, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	config := wordcount.Config{
		Extensions: c.Ext, Output: string(c.Output),
		MaxLine: int(c.MaxLine), LongLines: stages.LongLines(c.LongLines), AcceptChanges: c.Accept,
	}
	for _, file := range c.Files {
		config.Files = append(config.Files, string(file))
	}
	return wordcount.New(config)
}

// Decisive are the files and where the result goes.
func (c *Wordcount) Decisive() []flags.Argument {
	return []flags.Argument{{Name: "FILE", Value: c.Files}, {Name: "--ext", Value: c.Ext}, {Name: "--output", Value: c.Output}}
}

// Words are the flags for what errors of the files are mended by.
func (c *Wordcount) Words(r remedy.Remedy) string {
	switch r.Name {
	case stages.RaiseMaxLine.Name:
		return "--max-line"
	case stages.SetLongLines.Name:
		return strings.TrimSuffix("--long-lines "+r.Argument, " ")
	case stages.TakeChanges.Name:
		return "--accept-changes"
	}
	return ""
}

// Sketch reads nothing: the files do not matter to the graph.
func (c *Wordcount) Sketch() (*engine.Pipeline, error) {
	return wordcount.New(wordcount.Config{Files: []string{"."}, Output: os.DevNull})
}

// check finds what is wrong with the files before the run deletes what a complete one left. It also refuses an output
// that is read as well: the next run would count it.
func (c *Wordcount) check() error {
	output := resolve(string(c.Output))
	matches := len(c.Ext) == 0 || slices.ContainsFunc(c.Ext, func(e string) bool { return strings.HasSuffix(output, e) })
	files := stages.Files{}
	for _, file := range c.Files {
		files.Roots = append(files.Roots, string(file))
		inside, err := filepath.Rel(resolve(string(file)), output)
		if err != nil {
			continue
		}
		if inside == "." || matches && filepath.IsLocal(inside) {
			return flags.Usage("--output: %s is one of the files to read (%s): write to another place, or select the files to read with --ext", c.Output, file)
		}
	}
	if len(c.Ext) > 0 {
		files.Match = stages.Extensions(c.Ext...)
	}
	if err := files.Check(); err != nil {
		return usage("FILE", err)
	}
	if err := stages.CheckFile(string(c.Output)); err != nil {
		return usage("--output", err)
	}
	return nil
}

// usage is the error of an argument. What may succeed at the next try is no mistake in the command line.
func usage(name string, err error) error {
	if number := syscall.Errno(0); errors.As(err, &number) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return flags.Usage("%s: %w", name, err)
}

// resolve follows symbolic links as far as the path is there.
func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	dir, name := filepath.Split(path)
	if real, err := filepath.EvalSymlinks(filepath.Clean(dir)); err == nil {
		return filepath.Join(real, name)
	}
	return path
}
