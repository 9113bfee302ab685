package main

import (
	"path/filepath"
	"slices"
	"strings"

	"penstock/examples/wordcount"
	"penstock/stages"
)

// wordcountCmd counts words.
type wordcountCmd struct {
	Files  []path     `arg:"" name:"file" help:"Files to read, and directories, of which all files are read. What is compressed with gzip, bzip2 or zstd is decompressed; other compressed files are refused."`
	Ext    extensions `placeholder:".go,.txt" help:"In directories read only files with these extensions. Default: all."`
	Output path       `default:"counts.txt" placeholder:"FILE" help:"Where the result goes, a line \"<count> <word>\" for each word. Default: counts.txt in the current directory. A file that is there is overwritten."`

	MaxLine   size   `default:"2MiB" placeholder:"SIZE" help:"The longest line. With lines of very many words, which are sent on at once, more than the default may not fit into a message of the server. Default: 2MiB."`
	LongLines string `enum:"stop,skip,letter" default:"stop" placeholder:"stop|skip|letter" help:"What happens at a longer line, and at one that no message of the server can carry (8 MiB without --nats): stop with an error that names it; skip it, which is logged and counted as dropped; or make it a dead letter, which keeps its first 64 KiB. Default: stop."`
	Accept    bool   `name:"accept-changes" help:"Go on although the files are not as the interrupted run left them. What was counted stays counted: a file that was read is not read again, a new one that sorts before the place is not read, and one that was being read and was replaced, cut or changed is read again from its beginning."`
}

// Run runs it.
func (c *wordcountCmd) Run(r *runCmd, a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	files := make([]string, len(c.Files))
	for i, file := range c.Files {
		files[i] = string(file)
	}
	p, err := wordcount.New(wordcount.Config{
		Files: files, Extensions: c.Ext, Output: string(c.Output),
		MaxLine: int(c.MaxLine), LongLines: stages.LongLines(c.LongLines), AcceptChanges: c.Accept,
	})
	if err != nil {
		return err
	}
	return r.execute(a, p, arguments{{"FILE", c.Files}, {"--ext", c.Ext}, {"--output", c.Output}})
}

// check refuses an output that is read as well: the next run would count it.
func (c *wordcountCmd) check() error {
	output := resolve(string(c.Output))
	matches := len(c.Ext) == 0 || slices.ContainsFunc(c.Ext, func(e string) bool { return strings.HasSuffix(output, e) })
	for _, file := range c.Files {
		inside, err := filepath.Rel(resolve(string(file)), output)
		if err != nil {
			continue
		}
		if inside == "." || matches && filepath.IsLocal(inside) {
			return usage("--output: %s is among the files to read (%s): write it elsewhere, or name the files to read with --ext", c.Output, file)
		}
	}
	return nil
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
