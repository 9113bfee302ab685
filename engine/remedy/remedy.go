package remedy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Remedy is what mends an error: a field or a function of the library. A program
// whose users have no Go code says it in words of its own, see [Explain].
type Remedy struct {
	// Name is that of the field or function, such as Config.Fresh.
	Name string
	// Argument is what it is to be given, "" for nothing.
	Argument string
	// Dir is the data directory that it is for, "" for the one at hand.
	Dir string
}

// The remedies that errors and logs of Penstock name. Others, such as those of
// package stages, stand beside the fields that they name.
var (
	Fresh           = Remedy{Name: "Config.Fresh"}           // start over
	Dir             = Remedy{Name: "Config.Dir"}             // another data directory
	NATS            = Remedy{Name: "Config.NATS"}            // the server
	InboxPrefix     = Remedy{Name: "NATS.InboxPrefix"}       // of the answers that the user may get
	ConnectTimeout  = Remedy{Name: "NATS.ConnectTimeout"}    // wait longer for it
	FrameKeys       = Remedy{Name: "Config.FrameKeys"}       // authenticate frames
	DiscardLetters  = Remedy{Name: "Config.DiscardLetters"}  // of the last run
	DeadLetterCount = Remedy{Name: "Config.DeadLetterCount"} // keep more
	DeadLetterBytes = Remedy{Name: "Config.DeadLetterBytes"} // keep more
	SetPartitions   = Remedy{Name: "Pipeline.SetPartitions"} // of a stage: the argument is as in "tally=4"

	Examine = Remedy{Name: "doctor.Examine"}  // look what is wrong with a data directory
	Repair  = Remedy{Name: "doctor.Repair"}   // mend it
	Rights  = Remedy{Name: "Pipeline.Rights"} // what a user of the server needs

	GetLetter     = Remedy{Name: "Queue.Get"}     // of the id in Argument
	DiscardLetter = Remedy{Name: "Queue.Discard"} // likewise; without one all letters
	ReplayLetters = Remedy{Name: "Queue.Replay"}  // all
	ExportLetters = Remedy{Name: "Queue.Export"}  // all

	ForceImport = Remedy{Name: "ImportOptions.Force"} // of dead letters that may have had their effect
	ReplayTo    = Remedy{Name: "ReplayOptions.To"}    // another stage
)

// For returns the remedy with an argument.
func (r Remedy) For(argument string) Remedy {
	r.Argument = argument
	return r
}

// In returns the remedy for another data directory.
func (r Remedy) In(dir string) Remedy {
	r.Dir = dir
	return r
}

// of comes before the directory in the text of a remedy.
const of = " of Config.Dir"

// String is the remedy in Go's words: Config.Fresh, Queue.Get("a.0:b.0:1"), Queue.Replay of Config.Dir("/a").
func (r Remedy) String() string {
	text := r.Name
	if r.Argument != "" {
		text += fmt.Sprintf("(%q)", r.Argument)
	}
	if r.Dir != "" {
		text += fmt.Sprintf("%s(%q)", of, r.Dir)
	}
	return text
}

// MarshalText makes it a text in a log, too.
func (r Remedy) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (r *Remedy) UnmarshalText(text []byte) (err error) {
	rest := string(text)
	end := strings.IndexAny(rest, "( ")
	if end < 0 {
		*r = Remedy{Name: rest}
		return nil
	}
	*r, rest = Remedy{Name: rest[:end]}, rest[end:]
	if r.Argument, rest, err = quoted(rest); err != nil {
		return err
	}
	if rest, found := strings.CutPrefix(rest, of); found {
		r.Dir, _, err = quoted(rest)
	}
	return err
}

// quoted reads a text like ("a"), if there is one, and returns what is behind it.
func quoted(text string) (inner, rest string, err error) {
	behind, found := strings.CutPrefix(text, "(")
	if !found {
		return "", text, nil
	}
	quote, err := strconv.QuotedPrefix(behind)
	if err == nil {
		inner, err = strconv.Unquote(quote)
	}
	if err != nil {
		return "", "", fmt.Errorf("a remedy is followed by %q: %w", text, err)
	}
	return inner, strings.TrimPrefix(behind[len(quote):], ")"), nil
}

// failure is an error with the remedies that its text names.
type failure struct {
	error
	named []Remedy
}

// Unwrap gives the error without them.
func (f *failure) Unwrap() error { return f.error }

// Errorf is fmt.Errorf. The error has those of the arguments that are remedies.
func Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &failure{err, Among(args)}
}

// Of returns the remedies that an error names, or one that it wraps, each once. Error
// types have them by a method Remedies() []Remedy.
func Of(err error) (all []Remedy) {
	add := func(some []Remedy) {
		for _, r := range some {
			if !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	if f, ok := err.(*failure); ok {
		add(f.named)
	}
	if r, ok := err.(interface{ Remedies() []Remedy }); ok {
		add(r.Remedies())
	}
	switch wrapping := err.(type) {
	case interface{ Unwrap() error }:
		add(Of(wrapping.Unwrap()))
	case interface{ Unwrap() []error }:
		for _, e := range wrapping.Unwrap() {
			add(Of(e))
		}
	}
	return all
}

// Words are what a program calls a remedy. "" leaves the library's words, and so do nil
// Words.
type Words func(Remedy) string

func (w Words) say(r Remedy) string {
	if w != nil {
		if said := w(r); said != "" {
			return said
		}
	}
	return r.String()
}

// Explain is the text of an error with its remedies in the words of the program. The
// error must not be nil.
func Explain(err error, words Words) string {
	return Within(err.Error(), err, words)
}

// Within is Explain for a text that was made of the error.
func Within(text string, err error, words Words) string { return replace(text, Of(err), words) }

// Text is like Explain for a text that came from the library alone, such as a
// finding of doctor.Examine: all remedies of this package are replaced, and the
// named ones, which may have arguments.
func Text(text string, words Words, named ...Remedy) string {
	return replace(text, slices.Concat(known, named), words)
}

// Among are the remedies among values that make a text, and those that errors among
// them name.
func Among(values []any) (all []Remedy) {
	for _, v := range values {
		switch v := v.(type) {
		case Remedy:
			all = append(all, v)
		case error:
			all = append(all, Of(v)...)
		}
	}
	return all
}

var known = []Remedy{
	Fresh, Dir, NATS, ConnectTimeout, FrameKeys, DiscardLetters, DeadLetterCount, DeadLetterBytes,
	InboxPrefix, Examine, Repair, Rights, GetLetter, DiscardLetter, ReplayLetters, ExportLetters,
	ForceImport, ReplayTo,
}

// replace passes over the text once: the words of a program are not looked into.
func replace(text string, remedies []Remedy, words Words) string {
	var pairs []string
	for _, r := range slices.SortedFunc(slices.Values(remedies), longestFirst) {
		pairs = append(pairs, r.String(), words.say(r))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// longestFirst puts Queue.Get("id") before Queue.Get: the replacer takes the first that fits.
func longestFirst(a, b Remedy) int { return len(b.String()) - len(a.String()) }

var _ error = (*failure)(nil)

// explained is an error whose text is in the words of a program.
type explained struct {
	error
	text string
}

func (e *explained) Error() string { return e.text }

// Unwrap gives the error as it was.
func (e *explained) Unwrap() error { return e.error }

// As returns the error with the text of Explain; nil stays nil, and one without remedies as it is.
func As(err error, words Words) error {
	if err == nil || errors.As(err, new(*explained)) || len(Of(err)) == 0 {
		return err
	}
	return &explained{err, Explain(err, words)}
}

// All returns the remedies of this package, for a program to see that it has words
// for each.
func All() []Remedy { return slices.Clone(known) }
