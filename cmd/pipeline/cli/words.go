package cli

import (
	"log/slog"

	"penstock/engine/remedy"
	"penstock/telemetry"
)

// Worded is a Command whose pipeline returns errors with remedies of its own, and says
// them by its flags: see package remedy. It returns "" for one that it does not know.
type Worded interface {
	Command
	Words(remedy.Remedy) string
}

// hints are the flags and verbs of the program for what mends an error.
type hints struct {
	program string
	where   string       // the flags that find the pipeline, each with a space before it
	keys    string       // the flag of its frame keys, likewise
	own     remedy.Words // of the pipeline, nil: none
}

// words are those of a remedy.
func (h hints) words(r remedy.Remedy) string {
	if h.own != nil {
		if said := h.own(r); said != "" {
			return said
		}
	}
	if flag, ok := remedyFlags[r.Name]; ok {
		return flag
	}
	verb := remedyVerbs[r.Name]
	switch {
	case verb == "":
		return ""
	case r.Name == remedy.Rights.Name:
		return "`" + h.program + verb + "`"
	case r.Name == remedy.DiscardLetter.Name && r.Argument == "":
		verb += " --all"
	case r.Argument != "":
		verb += " " + r.Argument
	}
	said := h.program + verb + h.where
	if r.Name == remedy.Examine.Name || r.Name == remedy.Repair.Name {
		said += h.keys
	}
	return said
}

var remedyFlags = map[string]string{
	remedy.Fresh.Name:           "--fresh",
	remedy.Dir.Name:             "--dir",
	remedy.NATS.Name:            "--nats",
	remedy.FrameKeys.Name:       "--frame-key-file",
	remedy.DiscardLetters.Name:  "--discard-letters",
	remedy.DeadLetterCount.Name: "--dead-letters",
	remedy.DeadLetterBytes.Name: "--dead-letter-bytes",
	telemetry.SetToken.Name:     "--telemetry-token-file",
	telemetry.AddHost.Name:      "--telemetry-host",
	telemetry.SetPeek.Name:      "--peek N",
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

// explain is the text of an error in the words of the program.
func (h hints) explain(err error) string { return remedy.Explain(err, h.words) }

// log returns a logger in the words of the program.
func (h hints) log(log *slog.Logger) *slog.Logger {
	return slog.New(remedy.Handler(log.Handler(), h.words))
}
