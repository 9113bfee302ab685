//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"penstock/engine/broker"
	"penstock/engine/doctor"
	"penstock/engine/inspect"
)

// What an operator does with a damaged directory: the doctor looks at it, and it is repaired. Both happen in a process
// of their own, since what they read may be anything.

const examinedVerb = "examined "

// heal is the child that examines a directory, or repairs it.
func heal(args []string) error {
	set := flag.NewFlagSet(asDoctor, flag.ExitOnError)
	dir := set.String("dir", "", "")
	url := set.String("url", "", "")
	repair := set.Bool("repair", false, "")
	if err := set.Parse(args); err != nil {
		return err
	}
	config := inspect.Config{Dir: *dir, NATS: broker.NATS{URL: *url}}
	var e *doctor.Examination
	var err error
	if *repair {
		var done *doctor.Repaired
		if done, err = doctor.Repair(context.Background(), config); done != nil {
			e = done.Examination
		}
		if errors.Is(err, doctor.ErrNotMendable) {
			err = nil // e says so
		}
	} else {
		e, err = doctor.Examine(context.Background(), config)
	}
	if err != nil {
		return err
	}
	data, err := json.Marshal(e)
	if err == nil {
		fmt.Printf("%s%s\n", examinedVerb, data)
	}
	return err
}

// askDoctor has a directory examined or repaired; nil when that failed, which is a finding.
func (c *cycle) askDoctor(more ...string) (*doctor.Examination, error) {
	args := []string{asDoctor, "-dir", c.data}
	if c.server != nil {
		args = append(args, "-url", c.server.url())
	}
	child, err := startChild(append(args, more...), nil, c.echo)
	if err != nil {
		return nil, err
	}
	if !child.Ends(c.patience) {
		child.Signal(syscall.SIGQUIT)
		<-child.Done()
		c.find(hung, "the doctor (%v) does not end within %v: %.20000s", more, c.patience, child.Stderr.String())
		return nil, nil
	}
	if child.Err() != nil {
		c.find(unclear, "the doctor (%v) fails: %s", more, child.reason())
		return nil, nil
	}
	for line := range strings.Lines(child.story()) {
		if data, found := strings.CutPrefix(line, examinedVerb); found {
			e := &doctor.Examination{}
			return e, json.Unmarshal([]byte(data), e)
		}
	}
	return nil, fmt.Errorf("the doctor says nothing: %s", child.story())
}

// examineHarm has the doctor look at what was damaged, and sees to it that it changes nothing.
func (c *cycle) examineHarm() error {
	if c.server != nil && !c.server.child.IsAlive() {
		return nil // it can look at nothing
	}
	before, err := fingerprint(c.data)
	if err != nil {
		return err
	}
	e, err := c.askDoctor()
	if err != nil || e == nil {
		return err
	}
	after, err := fingerprint(c.data)
	if err == nil && after != before {
		c.find(unclear, "the doctor changed something; before:\n%safter:\n%s", before, after)
	}
	c.seen = !e.Sound
	c.diagnosis = diagnosisOf(e)
	return err
}

func diagnosisOf(e *doctor.Examination) string {
	var list []string
	for _, f := range e.Findings {
		if f.Wrong {
			list = append(list, f.Part+": "+f.Text)
		}
	}
	return strings.Join(list, "; ")
}

// fingerprint is the content of a directory, but for its locks.
func fingerprint(dir string) (string, error) {
	var lines []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		relative, _ := filepath.Rel(dir, path)
		if relative == "lock" || relative == "pid" {
			return nil
		}
		data, err := os.ReadFile(path)
		lines = append(lines, fmt.Sprintf("  %s %d %08x\n", relative, len(data), crc32.ChecksumIEEE(data)))
		return err
	})
	slices.Sort(lines)
	return strings.Join(lines, ""), err
}

// mendable says whether what was refused is a matter for the doctor: nothing but damaged files can be the reason, and
// they are all in the directory.
func (c *cycle) mendable() bool {
	return c.Refused != "" && len(c.Findings) == 0 && c.harm.kind != "" && c.server == nil && c.volume == nil &&
		!slices.ContainsFunc(c.ordeal, func(f fault) bool { return f.refusal && !isDamage(f) })
}

// mend has a directory repaired that was refused; the doctor must see why it was. It says whether something was done.
func (c *cycle) mend() (bool, error) {
	e, err := c.askDoctor()
	if err != nil || e == nil {
		return false, err
	}
	if e.Sound {
		c.find(unseen, "it is refused, and the doctor sees nothing wrong: %s", c.Refused)
		return false, nil
	}
	if len(c.ordeal) == 1 && !c.seen {
		c.find(unseen, "it is refused, and before that the doctor saw nothing wrong: %s; now: %s", c.Refused, diagnosisOf(e))
		return false, nil
	}
	if e, err = c.askDoctor("-repair"); err != nil || e == nil {
		return false, err
	}
	c.diagnosis = diagnosisOf(e)
	if !e.Mendable {
		return false, nil
	}
	c.repaired = strings.Join(e.Steps, "; ")
	fmt.Fprintf(c.echo, "repaired: %s\n", c.repaired)
	clear(c.floor)
	return true, nil
}
