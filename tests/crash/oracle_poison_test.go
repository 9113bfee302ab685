package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"penstock/engine/faultpoint"
	"penstock/engine/inspect"
	"penstock/tests/crash/poison"
)

func (s site) mended() string { return filepath.Join(s.root, "mended") }

func (s site) mend() error { return os.WriteFile(s.mended(), nil, 0o600) }

// poisonWorkload is the poisoned pipeline with more arguments for the victim.
func poisonWorkload(c poison.Config, more ...string) workload {
	c = c.WithDefaults()
	return workload{
		name:  poison.Name,
		lines: 200,
		args:  func(s site) []string { return append(poisonArgs(s, c), more...) },
		check: func(t *testing.T, s site) error {
			if _, err := os.Stat(s.mended()); err == nil {
				return checkReplayed(t.Context(), s, c, nil)
			}
			return errors.Join(checkPoison(t.Context(), s, c, poison.Result{Disturbed: true}), checkLetterCounts(s, c))
		},
		places: []place{{faultpoint.MidDivert, "", len(c.Killers)}},
	}
}

func poisonArgs(s site, c poison.Config) []string {
	return []string{
		"poison", "-dir", s.data(), "-url", s.url, "-report", s.report(), "-output", s.output(), "-mended", s.mended(),
		"-numbers", strconv.FormatUint(c.Numbers, 10), "-room", strconv.FormatUint(c.Room, 10), "-pace", c.Pace.String(), "-slow", c.Slow.String(),
		"-hesitation", c.Hesitation.String(), "-attempts", strconv.Itoa(c.Attempts),
		"-killers", poison.Join(c.Killers),
	}
}

// checkLetterCounts compares what the stages say of their dead letters with those there are.
func checkLetterCounts(s site, c poison.Config) error {
	status, err := s.readReport()
	if err != nil {
		return err
	}
	want := map[string]uint64{}
	for _, k := range c.Killers {
		want[k.Stage]++
	}
	var wrong []error
	for _, stage := range status.Stages {
		by := uint64(0)
		for _, n := range stage.DeadLettersBy {
			by += n
		}
		if n := want[stage.Name]; stage.DeadLetters != n || by != n {
			wrong = append(wrong, fmt.Errorf("stage %s counts %d dead letters and by reason %v, and there are %d", stage.Name, stage.DeadLetters, stage.DeadLettersBy, n))
		}
	}
	return errors.Join(wrong...)
}

// checkReplayed expects that every letter was replayed but for those of some killers, which were discarded.
func checkReplayed(ctx context.Context, s site, c poison.Config, discarded []poison.Killer) error {
	c.Killers = discarded
	return checkPoison(ctx, s, c, poison.Result{Replayed: true, Disturbed: true})
}

// checkPoison reads what there is into the result, and checks it.
func checkPoison(ctx context.Context, s site, c poison.Config, result poison.Result) error {
	file, err := os.Open(s.output())
	if err != nil {
		return err
	}
	result.File = file
	if err := s.readPoison(ctx, &result); err != nil {
		return closing(file, err)
	}
	return closing(file, poison.Check(c, result))
}

func (s site) readPoison(ctx context.Context, r *poison.Result) error {
	err := s.inspect(ctx, func(i *inspect.Inspector) (err error) {
		read := func(stage string, into *poison.Sum) {
			states, readErr := statesOf[poison.Sum](ctx, i, stage)
			*into, err = states[""], errors.Join(err, readErr)
		}
		read("sift", &r.Sift)
		read("bundle", &r.Bundle)
		read("beside", &r.Beside)
		tally, tallyErr := statesOf[poison.Sum](ctx, i, "tally")
		r.Tally = tally
		return errors.Join(err, tallyErr)
	})
	if err != nil {
		return err
	}
	r.Letters, err = s.letters(ctx, poison.Name)
	return err
}
