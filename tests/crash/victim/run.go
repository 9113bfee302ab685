package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"penstock/engine"
	"penstock/engine/observe"
)

// settings are the flags that every workload has.
type settings struct {
	dir, url, report   string
	window, checkpoint time.Duration
	ready              func(context.Context) error // runs beside the pipeline, from when it is ready
}

func flags(name string) (*flag.FlagSet, *settings) {
	set := flag.NewFlagSet(name, flag.ExitOnError)
	s := &settings{}
	set.StringVar(&s.dir, "dir", "", "data `directory`")
	set.StringVar(&s.url, "url", "", "of an external server")
	set.StringVar(&s.report, "report", "", "`file` for the status of a run that returned")
	set.DurationVar(&s.window, "window", 0, "duplicate window of the streams")
	set.DurationVar(&s.checkpoint, "checkpoint", 20*time.Millisecond, "interval of checkpoints")
	return set, s
}

// run runs a pipeline to its end.
func (s *settings) run(p *engine.Pipeline) error {
	say("starting")
	done := make(chan struct{})
	told := make(chan struct{})
	go func() {
		defer close(told)
		tell(p, done)
	}()
	var beside sync.WaitGroup
	besideErr := error(nil)
	ctx, cancel := context.WithCancel(context.Background())
	err := p.Run(context.Background(), engine.Config{
		Dir:                s.dir,
		DiscardLetters:     true, // of a run that was checked
		NATS:               engine.NATS{URL: s.url},
		CheckpointInterval: s.checkpoint,
		DuplicateWindow:    s.window,
		OnReady: func() error {
			if s.ready != nil {
				beside.Go(func() { besideErr = s.ready(ctx) })
			}
			return nil
		},
		OnStop: func() { cancel(); beside.Wait() },
		Logger: slog.New(slog.NewTextHandler(lines{"log "}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	cancel()
	beside.Wait()
	close(done)
	<-told
	if besideErr != nil && !errors.Is(besideErr, context.Canceled) {
		err = errors.Join(err, besideErr)
	}
	if reportErr := s.writeReport(p.Status()); err == nil {
		err = reportErr
	}
	if err == nil && !p.Status().Completed {
		err = fmt.Errorf("the run returned and is not complete")
	}
	return err
}

func (s *settings) writeReport(status observe.Status) error {
	if s.report == "" {
		return nil
	}
	data, err := json.Marshal(status)
	if err == nil {
		err = os.WriteFile(s.report, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
