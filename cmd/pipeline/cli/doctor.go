package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/render"
	"penstock/engine"
	"penstock/engine/remedy"
)

// checkFlags are those of what looks at a whole data directory.
type checkFlags struct {
	Look lookFlags `embed:""`
	Keys keyFlags  `embed:""`
}

// config also says the keys to the hints, which name a command that needs them.
func (c *checkFlags) config(a *app) (engine.Config, error) {
	config, err := c.Keys.add(c.Look.config(a))
	if err == nil {
		a.hints.keys = c.Keys.hint()
	}
	return config, err
}

// doctorCmd looks for what is wrong with a data directory.
type doctorCmd struct {
	checkFlags `embed:""`
	JSON       bool `name:"json" help:"One JSON object with everything that was found."`
}

// Run looks, and says what it found.
func (c *doctorCmd) Run(a *app) error {
	config, err := c.config(a)
	if err != nil {
		return err
	}
	ctx, release := a.interruptible(func() {})
	defer release()
	found, running, err := c.examine(ctx, config)
	if err == nil && found.Pipeline != "" {
		err = c.Look.isFrom(found.Pipeline)
	}
	if err != nil {
		return a.blind("doctor", c.Look.NATS.blame(err))
	}
	a.hints.sayFindings(found)
	d := diagnosis{Examination: found, Running: running}
	if c.JSON {
		err = d.writeJSON(a.stdout)
	} else {
		d.advise(a.hints)
		err = d.write(a.stdout)
	}
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	if !found.Sound {
		return exitWith(exitFailed)
	}
	return nil
}

// sayFindings puts findings into the words of the program.
func (h hints) sayFindings(e *engine.Examination) {
	for i := range e.Findings {
		e.Findings[i].Text = remedy.Text(e.Findings[i].Text, h.words)
	}
	for i := range e.Steps {
		e.Steps[i] = remedy.Text(e.Steps[i], h.words)
	}
}

// blind tells why nothing could be looked at.
func (a *app) blind(what string, err error) error {
	var wrong *flags.UsageError
	if errors.As(err, &wrong) {
		return err
	}
	a.end(fmt.Errorf("%s: %w", what, err))
	return exitWith(exitBlind)
}

// examine asks the process that runs the pipeline, or looks into the directory.
func (c *doctorCmd) examine(ctx context.Context, config engine.Config) (found *engine.Examination, running bool, err error) {
	locked, cancel := context.WithTimeout(ctx, lockedFor)
	defer cancel()
	for {
		found, err = engine.Examine(ctx, config)
		if !errors.Is(err, engine.ErrLocked) {
			return found, false, err
		}
		found, away := controlClient{dir: config.Dir, log: config.Logger}.examination(ctx)
		if !errors.Is(away, errNobody) {
			return found, true, away
		}
		select {
		case <-time.After(lockedPause):
		case <-locked.Done():
			return nil, true, fmt.Errorf("%w; and it does not answer: %w", err, away)
		}
	}
}

// examination asks the running pipeline.
func (c controlClient) examination(ctx context.Context) (*engine.Examination, error) {
	answer, err := c.get(ctx, "/v1/examination")
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	var found engine.Examination
	if err := decodeWhole(answer.body, &found); err != nil {
		return nil, err
	}
	return &found, nil
}

// examination answers with what is found beside the running stages.
func (c *control) examination(w http.ResponseWriter, r *http.Request) {
	found, err := c.pipeline.Examine(r.Context())
	if err != nil {
		http.Error(w, c.hints.explain(err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(&patient{ResponseWriter: w}).Encode(found); err != nil {
		c.log.Debug("an answer on the control socket was cut off", "error", err)
	}
}

// diagnosis is what doctor says.
type diagnosis struct {
	*engine.Examination
	Running bool   `json:"running"`          // it was looked at beside the stages
	Advice  string `json:"advice,omitempty"` // what to do
	Backup  string `json:"backup,omitempty"` // of repair: the directory as it was
	mended  bool
}

func (d diagnosis) writeJSON(w io.Writer) error {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(render.EscapeJSON(data), '\n'))
	return err
}

// advise says which command mends what is wrong.
func (d *diagnosis) advise(h hints) {
	switch {
	case d.Sound:
	case d.Running:
		d.Advice = "Stop the pipeline and look again: " + h.words(remedy.Examine)
	case d.Mendable:
		d.Advice = "Mend it with: " + h.words(remedy.Repair) + "\nIt makes a copy of the directory first, and then does this:"
		for _, step := range d.Steps {
			d.Advice += "\n  - " + render.Harmless(step)
		}
	default:
		d.Advice = "It cannot be mended without guessing. Put a copy of the directory back in its place,\nor start over, which deletes what is there: " + h.program + " run " + orName(d.Pipeline) + h.where + " --fresh"
	}
}

func orName(pipeline string) string {
	if pipeline == "" {
		return "PIPELINE"
	}
	return render.Harmless(pipeline)
}

func (d diagnosis) write(w io.Writer) error {
	text := "data directory " + render.Harmless(d.Dir) + "\n"
	if d.Pipeline != "" {
		text += "pipeline " + render.Harmless(d.Pipeline)
		if d.Running {
			text += ", which is running: the files of its checkpoints are not looked at"
		}
		text += "\n"
	}
	for _, checked := range d.Checked {
		text += "  looked at  " + render.Harmless(checked) + "\n"
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
