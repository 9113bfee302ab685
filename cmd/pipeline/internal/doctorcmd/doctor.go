package doctorcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/render"
	"penstock/cmd/pipeline/internal/socket"
	"penstock/cmd/pipeline/internal/where"
	"penstock/cmd/pipeline/internal/words"
	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/engine/remedy"
)

// checkFlags are those of what looks at a whole data directory.
type checkFlags struct {
	Look where.Flags `embed:""`
	Keys where.Keys  `embed:""`
}

// config also says the keys to the hints, which name a command that needs them.
func (c *checkFlags) config(a *app.Invocation) (engine.Config, error) {
	config, err := c.Keys.Add(c.Look.Config(a))
	if err == nil {
		a.Hints.Keys = c.Keys.Hint()
	}
	return config, err
}

// Doctor looks for what is wrong with a data directory.
type Doctor struct {
	checkFlags `embed:""`
	JSON       bool `name:"json" help:"Print one JSON object with all findings."`
}

// Run looks, and says what it found.
func (c *Doctor) Run(a *app.Invocation) error {
	config, err := c.config(a)
	if err != nil {
		return err
	}
	ctx, release := a.Interruptible(func() {})
	defer release()
	found, running, err := c.examine(ctx, config)
	if err == nil && found.Pipeline != "" {
		err = c.Look.IsFrom(found.Pipeline)
	}
	if err != nil {
		return app.CouldNotLook(fmt.Errorf("doctor: %w", c.Look.NATS.Blame(err)))
	}
	sayFindings(a.Hints, found)
	d := Diagnosis{Examination: found, Running: running}
	if c.JSON {
		err = d.writeJSON(a.Stdout)
	} else {
		d.advise(a.Hints)
		err = d.write(a.Stdout)
	}
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	if !found.Sound {
		return app.ExitWith(app.ExitFailed)
	}
	return nil
}

// sayFindings puts findings into the words of the program.
func sayFindings(h words.Hints, e *doctor.Examination) {
	for i := range e.Findings {
		f := &e.Findings[i]
		f.Text, f.Remedies = remedy.Text(f.Text, h.Words, f.Remedies...), nil
	}
	for i := range e.Steps {
		e.Steps[i] = remedy.Text(e.Steps[i], h.Words)
	}
}

// examine asks the process that runs the pipeline, or looks into the directory.
func (c *Doctor) examine(ctx context.Context, config engine.Config) (found *doctor.Examination, running bool, err error) {
	locked, cancel := context.WithTimeout(ctx, where.LockedFor)
	defer cancel()
	for {
		found, err = doctor.Examine(ctx, config.ToInspect())
		if !errors.Is(err, engine.ErrLocked) {
			return found, false, err
		}
		found, away := socket.Client{Dir: config.Dir, Log: config.Logger}.Examination(ctx)
		if !errors.Is(away, socket.ErrNobody) {
			return found, true, where.WithHolder(away, err)
		}
		select {
		case <-time.After(where.LockedPause):
		case <-locked.Done():
			return nil, true, fmt.Errorf("%w; and the process does not answer: %w", err, away)
		}
	}
}

// Diagnosis is what doctor says.
type Diagnosis struct {
	*doctor.Examination
	Running bool   `json:"running"`          // it was looked at beside the stages
	Advice  string `json:"advice,omitempty"` // what to do
	Backup  string `json:"backup,omitempty"` // of repair: the directory as it was
	mended  bool
}

func (d Diagnosis) writeJSON(w io.Writer) error {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(render.EscapeJSON(data), '\n'))
	return err
}

// advise says which command mends what is wrong.
func (d *Diagnosis) advise(h words.Hints) {
	switch {
	case d.Sound:
	case d.Elsewhere:
		d.Advice = "The run of that name on the server was made by another data directory.\nName that directory with --dir, or the server of this one with --nats."
	case d.Running:
		d.Advice = "Stop the pipeline and run the doctor again: " + h.Words(remedy.Examine)
	case d.Mendable:
		d.Advice = "Mend it with: " + h.Words(remedy.Repair) + "\nThat makes a copy of the directory first, and then does this:"
		for _, step := range d.Steps {
			d.Advice += "\n  - " + render.Harmless(step)
		}
	default:
		d.Advice = "It cannot be repaired without guessing. Restore a copy of the directory,\nor start over, which deletes what is there: " + h.Program + " run " + orName(d.Pipeline) + h.Where + " --fresh"
	}
}

func orName(pipeline string) string {
	if pipeline == "" {
		return "PIPELINE"
	}
	return render.Harmless(pipeline)
}

func (d Diagnosis) write(w io.Writer) error {
	text := "data directory " + render.Harmless(d.Dir) + "\n"
	if d.Pipeline != "" {
		text += "pipeline " + render.Harmless(d.Pipeline)
		if d.Running {
			text += ", running: the files of its checkpoints are not checked"
		}
		text += "\n"
	}
	for _, checked := range d.Checked {
		text += "  checked    " + render.Harmless(checked) + "\n"
	}
	for _, f := range d.Findings {
		mark := "  note       "
		if f.Wrong {
			mark = "  WRONG      "
		}
		text += mark + render.Harmless(f.Part+": "+f.Text) + "\n"
	}
	switch {
	case d.Sound:
		text += "Nothing is wrong.\n"
	case d.mended:
		text += d.Advice + "\n"
	default:
		text += "Something is wrong. " + d.Advice + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}
