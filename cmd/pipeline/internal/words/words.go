package words

import (
	"cmp"
	"log/slog"

	"penstock/engine/remedy"
	"penstock/internal/hint"
)

// Hints are the flags and verbs of the program for what mends an error.
type Hints struct {
	Program  string
	Pipeline string            // its name, "" if it is not known
	Where    string            // the flags that find the pipeline, each with a space before it
	Keys     string            // the flag of its frame keys, likewise
	Flags    map[string]string // by the names of remedies that only some programs meet
	Own      remedy.Words      // of the pipeline, nil: none

	// In are the flags that find the pipeline in another data directory, likewise; nil: there is no other.
	In func(dir string) string
}

// Words are those of a remedy.
func (h Hints) Words(r remedy.Remedy) string {
	if h.Own != nil {
		if said := h.Own(r); said != "" {
			return said
		}
	}
	for _, flags := range []map[string]string{remedyFlags, h.Flags} {
		if flag, ok := flags[r.Name]; ok {
			if r.Argument != "" {
				flag += " " + hint.Word(r.Argument)
			}
			return flag
		}
	}
	verb := remedyVerbs[r.Name]
	switch {
	case verb == "":
		return ""
	case r.Name == remedy.Rights.Name:
		return "`" + h.Program + verb + " " + cmp.Or(h.Pipeline, "NAME") + "`"
	case r.Name == remedy.DiscardLetter.Name && r.Argument == "":
		verb += " --all"
	case r.Argument != "":
		verb += " " + r.Argument
	}
	where := h.Where
	if r.Dir != "" && h.In != nil {
		where = h.In(r.Dir)
	}
	said := h.Program + verb + where
	if r.Name == remedy.Examine.Name || r.Name == remedy.Repair.Name {
		said += h.Keys
	}
	return said
}

var remedyFlags = map[string]string{
	remedy.Fresh.Name:           "--fresh",
	remedy.Dir.Name:             "--dir",
	remedy.NATS.Name:            "--nats",
	remedy.ConnectTimeout.Name:  "--nats-timeout",
	remedy.InboxPrefix.Name:     "--nats-inbox-prefix",
	remedy.FrameKeys.Name:       "--frame-key-file",
	remedy.DiscardLetters.Name:  "--discard-letters",
	remedy.DeadLetterCount.Name: "--dead-letters",
	remedy.DeadLetterBytes.Name: "--dead-letter-bytes",
	remedy.SetPartitions.Name:   "--partitions",
	remedy.ForceImport.Name:     "--force",
	remedy.ReplayTo.Name:        "--to",
}

var remedyVerbs = map[string]string{
	remedy.Examine.Name:       " doctor",
	remedy.Repair.Name:        " repair",
	remedy.Rights.Name:        " nats-permissions",
	remedy.GetLetter.Name:     " dlq show",
	remedy.DiscardLetter.Name: " dlq discard",
	remedy.ReplayLetters.Name: " dlq replay --all",
	remedy.ExportLetters.Name: " dlq export --output FILE",
}

// Explain is the text of an error in the words of the program.
func (h Hints) Explain(err error) string { return remedy.Explain(err, h.Words) }

// Log returns a logger in the words of the program.
func (h Hints) Log(log *slog.Logger) *slog.Logger {
	return slog.New(remedy.Handler(log.Handler(), h.Words))
}
