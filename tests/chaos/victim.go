//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/enginetest"
	"penstock/internal/testing/natsserver"
	"penstock/tests/chaos/workload"
)

const (
	asVictim = "victim"
	asServer = "server"
	asDoctor = "doctor"

	exitInterrupted = 4 // drained, and not complete
)

func isChild(name string) bool { return name == asVictim || name == asServer || name == asDoctor }

// runChild is the process that suffers. It ends when its standard input does, so that none outlives the campaign.
func runChild(name string, args []string) {
	go func() {
		obey(os.Stdin)
		os.Exit(3)
	}()
	do := map[string]func([]string) error{asVictim: suffer, asServer: serve, asDoctor: heal}[name]
	err := do(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(args []string) error {
	set := flag.NewFlagSet(asServer, flag.ExitOnError)
	dir := set.String("dir", "", "")
	port := set.Int("port", 0, "")
	if err := set.Parse(args); err != nil {
		return err
	}
	return natsserver.Serve(*dir, *port, func(url string) { fmt.Println("listening " + url) })
}

// suffer runs a pipeline.
func suffer(args []string) error {
	set := flag.NewFlagSet(asVictim, flag.ExitOnError)
	var config engine.Config
	var place workload.Place
	set.StringVar(&config.Dir, "dir", "", "")
	set.StringVar(&config.NATS.URL, "url", "", "")
	set.DurationVar(&config.Sync, "sync", 0, "")
	set.StringVar(&place.Output, "output", "", "")
	set.BoolVar(&place.Retyped, "retyped", false, "")
	set.BoolVar(&place.Released, "released", false, "")
	outside := set.String("outside", "", "")
	prefix := set.String("prefix", "", "")
	path := set.String("spec", "", "")
	clock := set.Duration("clock", 0, "")
	if err := set.Parse(args); err != nil {
		return err
	}
	enginetest.ShiftClock(*clock)
	data, err := os.ReadFile(*path)
	if err != nil {
		return err
	}
	var spec workload.Spec
	if err := json.Unmarshal(data, &spec); err != nil {
		return err
	}
	if place.Outside, err = workload.DialOutside(*outside, *prefix); err != nil {
		return err
	}
	defer place.Outside.Close()
	config.CheckpointInterval, config.DuplicateWindow = spec.Checkpoint, spec.Window
	config.Logger = slog.New(slog.NewTextHandler(logLines{}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	return runVictim(workload.New(spec, place), config)
}

func runVictim(p *engine.Pipeline, config engine.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var beside sync.WaitGroup
	done, finish := context.WithCancel(context.Background())
	letters := make(chan dlq.Letter, 1000)
	config.OnDeadLetter = func(l dlq.Letter) {
		select {
		case letters <- l:
		default:
		}
	}
	config.OnReady = func() error {
		fmt.Println("ready" + commits(p))
		beside.Go(func() { tell(p, done.Done()) })
		beside.Go(func() { replay(done, p, letters) })
		return nil
	}
	err := p.Run(ctx, config)
	finish()
	beside.Wait()
	// A start that is interrupted says so by an error; there is nothing to drain.
	if early := ctx.Err() != nil && errors.Is(err, context.Canceled); early || err == nil && !p.Status().Completed {
		os.Exit(exitInterrupted)
	}
	return err
}

// replay has two of three letters tried again once, which fails again: the next letter has to take the place of the
// first.
func replay(ctx context.Context, p *engine.Pipeline, letters <-chan dlq.Letter) {
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-letters:
			if l.Round > 1 || crc32.ChecksumIEEE([]byte(l.ID()))%3 == 0 {
				continue
			}
			if err := replayOne(ctx, p, l.ID()); err != nil {
				fmt.Println("log", err)
			}
		}
	}
}

func replayOne(ctx context.Context, p *engine.Pipeline, id string) error {
	queue, err := p.DeadLetters()
	if err != nil {
		return err
	}
	l, found, err := queue.Get(ctx, id)
	if err != nil || !found {
		return err
	}
	return queue.Replay(ctx, l, dlq.ReplayOptions{})
}

// tell says the commits of each stage whenever there are more, and when they were there.
func tell(p *engine.Pipeline, done <-chan struct{}) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if now := commits(p); now != last {
			last = now
			fmt.Println("progress", time.Now().UnixNano(), now)
		}
	}
}

func commits(p *engine.Pipeline) string {
	var line strings.Builder
	for _, stage := range p.Status().Stages {
		fmt.Fprintf(&line, " %s=%d", stage.Name, stage.Commits)
	}
	return line.String()
}

// logLines writes the log to standard output.
type logLines struct{}

func (logLines) Write(text []byte) (int, error) {
	_, err := fmt.Printf("log %s", text)
	return len(text), err
}
