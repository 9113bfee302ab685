package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// mutation is something that keeps the protocol right, taken away.
type mutation struct {
	name string // of a rule of package rule when it has no edit
	what string // it takes away
	edits
}

// edits are what a mutation changes in the code. They take effect only while mutated(name) is true, so that one build
// has them all.
type edits []edit

type edit struct{ file, old, new string }

// variable names the mutation to the build that has them.
const variable = "PENSTOCK_SIMULATION_WITHOUT"

// switchCode is added to the packages that are edited.
const switchCode = `package %s

import "os"

func mutated(name string) bool { return mutation == name }

var mutation = os.Getenv("` + variable + `")
`

// overlay writes the edited files and returns the build flag for them.
func overlay(b *builder) (string, error) {
	files := map[string]string{}
	replace := map[string]string{}
	for _, m := range slices.Concat(mutations, partitionMutations, registerMutations) {
		for _, e := range m.edits {
			if _, read := files[e.file]; !read {
				data, err := os.ReadFile(filepath.Join(b.root, e.file))
				if err != nil {
					return "", err
				}
				files[e.file] = string(data)
			}
			if strings.Count(files[e.file], e.old) != 1 {
				return "", fmt.Errorf("mutation %s: %s has %d places like this, one is wanted:\n%s", m.name, e.file, strings.Count(files[e.file], e.old), e.old)
			}
			files[e.file] = strings.Replace(files[e.file], e.old, e.new, 1)
		}
	}
	for _, file := range slices.Collect(maps.Keys(files)) {
		dir := path.Dir(file)
		files[dir+"/mutated.go"] = fmt.Sprintf(switchCode, path.Base(dir))
	}
	for file, text := range files {
		edited := filepath.Join(b.dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(edited, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(b.root, file)] = edited
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.dir, "overlay.json")
	return "-overlay=" + file, os.WriteFile(file, data, 0o600)
}

var errUnnoticed = errors.New("something that keeps the protocol right may be missing, and the simulation does not notice")

var (
	failedAt  = regexp.MustCompile(`schedule (\d+) of seed \d+: (.*)`)
	panicText = regexp.MustCompile(`panic: (.*)`)
)

// tryMutations prints a table of what is noticed.
func (o options) tryMutations(ctx context.Context, b *builder) error {
	flag, err := overlay(b)
	if err != nil {
		return err
	}
	binary, err := b.build(ctx, "-tags=penstock_mutation", flag)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "without\tschedules\tnoticed by\n")
	var unnoticed []string
	list := slices.Concat(mutations, partitionMutations)
	if o.register {
		list = registerMutations
	}
	for _, m := range append([]mutation{{what: "nothing"}}, list...) {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), m.name) {
			continue
		}
		schedules, by, err := o.try(ctx, binary, b, m)
		if err != nil {
			return err
		}
		if (schedules == "") != (m.name == "") {
			unnoticed = append(unnoticed, m.name)
		}
		if schedules == "" {
			schedules, by = fmt.Sprintf("%d", o.schedules), "(nothing noticed)"
		}
		fmt.Fprintf(table, "%s\t%s\t%.110s\n", m.what, schedules, by)
		fmt.Fprintf(os.Stderr, "%s: %s: %s\n", m.name, schedules, by)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(unnoticed) > 0 {
		return fmt.Errorf("%w: %s", errUnnoticed, strings.Join(unnoticed, ", "))
	}
	return nil
}

// try plays schedules until one fails, and returns how many that took and what was wrong.
func (o options) try(ctx context.Context, binary string, b *builder, m mutation) (schedules, by string, err error) {
	o.time = ""
	cmd := exec.CommandContext(ctx, binary, o.arguments()...)
	cmd.Dir = filepath.Join(b.root, tested)
	cmd.Env = append(os.Environ(), variable+"="+m.name)
	if m.name != "" && len(m.edits) == 0 {
		cmd.Env = append(cmd.Env, "PENSTOCK_WITHOUT="+m.name)
	}
	out, failed := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	if failed == nil {
		return "", "", nil
	}
	if found := failedAt.FindSubmatch(out); found != nil {
		n, err := strconv.ParseUint(string(found[1]), 10, 64)
		return strconv.FormatUint(n+1, 10), string(found[2]), err
	}
	if found := panicText.FindSubmatch(out); found != nil {
		return "?", "a panic: " + string(found[1]), nil
	}
	return "", "", fmt.Errorf("mutation %s: %w\n%s", m.name, failed, out)
}
