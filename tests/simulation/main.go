package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

type options struct {
	seed      uint64
	schedules uint64
	time      string
	schedule  int64
	register  bool
	mutations bool
	only      string
}

func main() {
	var o options
	flag.Uint64Var(&o.seed, "seed", 1, "of all choices")
	flag.Uint64Var(&o.schedules, "schedules", 0, "how many to play, 0: 100,000; with -mutations at most, 0: 300,000")
	flag.StringVar(&o.time, "time", "", "play for so long instead, such as 1m")
	flag.Int64Var(&o.schedule, "schedule", -1, "play this one alone, and print it")
	flag.BoolVar(&o.register, "register", false, "play owners that take an instance over from one another, and no pipelines")
	flag.BoolVar(&o.mutations, "mutations", false, "take away the rules of the protocol, one at a time, and print when that is noticed")
	flag.StringVar(&o.only, "only", "", "with -mutations: these names only, separated by commas")
	flag.Parse()
	if o.schedules == 0 {
		if o.schedules = 100_000; o.mutations {
			o.schedules = 300_000
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "simulation")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	b := &builder{root: root, dir: dir}
	if o.mutations {
		return o.tryMutations(ctx, b)
	}
	binary, err := b.build(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, o.arguments()...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Join(root, tested), os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the simulation failed: %w", err)
	}
	return nil
}

func (o options) arguments() []string {
	test := "^TestSimulation$"
	if o.register {
		test = "^TestRegisterSimulation$"
	}
	args := []string{"-test.run=" + test, "-test.v", "-test.timeout=0", fmt.Sprintf("-simulation.seed=%d", o.seed), fmt.Sprintf("-simulation.register=%t", o.register)}
	switch {
	case o.schedule >= 0:
		return append(args, fmt.Sprintf("-simulation.schedule=%d", o.schedule))
	case o.time != "":
		return append(args, "-simulation.time="+o.time)
	}
	return append(args, fmt.Sprintf("-simulation.schedules=%d", o.schedules))
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "penstock").Output()
	if err != nil {
		return "", fmt.Errorf("find the module penstock: run this inside of it: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// tested is the package whose tests are the simulation.
const tested = "engine/internal/simulation"

// builder builds the tests.
type builder struct{ root, dir string }

func (b *builder) build(ctx context.Context, flags ...string) (string, error) {
	binary := filepath.Join(b.dir, "simulation.test")
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"test", "-c", "-o", binary}, flags...), "./"+tested)...)
	cmd.Dir, cmd.Stderr, cmd.Stdout = b.root, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build the tests of "+tested+": %w", err)
	}
	return binary, nil
}
