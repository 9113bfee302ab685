package app

import (
	"io"
	"log/slog"
	"os"

	"penstock/cmd/pipeline/internal/guard"
	"penstock/cmd/pipeline/internal/words"
	"penstock/engine"
)

// System is what the command needs of the world around it.
type System struct {
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Signals        <-chan os.Signal
	Exit           func(code int)                       // ends the process at once
	Terminal       func() (width, height int, yes bool) // is stderr one?
	Pipe           *guard.Pipe                          // to the guard; nil: there is none
	Stdin          io.Reader                            // nil: nothing
	StdinTerminal  func() bool                          // nil: no
	StdoutTerminal func() (width, height int, yes bool) // nil: no
	Called         bool                                 // by a function, in a process that is not the command's
}

// Invocation is one invocation.
type Invocation struct {
	System
	Program Program
	Args    []string     // of the command line
	Log     *slog.Logger // how errors are told; nil: as plain text
	Hints   words.Hints
}

// Program is what is invoked.
type Program interface {
	// Called is its name, as users type it.
	Called() string
	// Pipelines are the names of its pipelines, at least one. The first is meant where none is given.
	Pipelines() []string
	// Sketch makes a pipeline to look at. found is false when there is none of that name.
	Sketch(pipeline string) (p *engine.Pipeline, found bool, err error)
}

// Begin begins an invocation.
func Begin(p Program, args []string, s System, flags map[string]string) *Invocation {
	return &Invocation{System: s, Program: p, Args: args, Hints: words.Hints{Program: p.Called(), Flags: flags}}
}

// Name is what the program is called.
func (a *Invocation) Name() string { return a.Program.Called() }
