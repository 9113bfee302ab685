package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/tests/crash/poison"
)

// poisonFlags say how the pipeline poison runs.
func poisonFlags(set *flag.FlagSet) func() (poison.Config, error) {
	var c poison.Config
	set.Uint64Var(&c.Numbers, "numbers", 0, "how many `numbers`")
	set.Uint64Var(&c.Room, "room", 0, "capacity of each channel in `messages`")
	set.DurationVar(&c.Pace, "pace", 0, "what the source takes for ten numbers")
	set.DurationVar(&c.Slow, "slow", 0, "what a stage takes for about ten numbers")
	set.DurationVar(&c.Hesitation, "hesitation", 0, "how long messages of tally wait for their next attempt")
	set.IntVar(&c.Attempts, "attempts", 0, "how many `times` a message may fail")
	set.StringVar(&c.Output, "output", "", "`file` of numbers")
	set.StringVar(&c.Mended, "mended", "", "`file` that says that nothing does harm any more")
	killers := set.String("killers", "", "`list` of stage:number:way")
	return func() (poison.Config, error) {
		var err error
		c.Killers, err = poison.ParseKillers(*killers)
		return c, err
	}
}

func runPoison(args []string) error {
	set, s := flags("poison")
	config := poisonFlags(set)
	live := set.Uint64("live", 0, "wait for this `number` of dead letters, mend, and replay them while the pipeline runs")
	if err := set.Parse(args); err != nil {
		return err
	}
	c, err := config()
	if err != nil {
		return err
	}
	p := poison.New(c)
	if *live > 0 {
		s.ready = func(ctx context.Context) error { return replayLive(ctx, p, *live, c.Mended) }
	}
	return s.run(p)
}

// replayLive mends and asks for every letter twice, as soon as so many are there.
func replayLive(ctx context.Context, p *engine.Pipeline, n uint64, mended string) error {
	queue, err := p.DeadLetters()
	if err != nil {
		return err
	}
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		count, err := queue.Count(ctx)
		if err != nil {
			return err
		}
		if _, err := os.Stat(mended); err == nil || count >= n {
			break
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil
		}
	}
	if err := os.WriteFile(mended, nil, 0o600); err != nil {
		return err
	}
	for range 2 {
		if err := askForAll(ctx, queue); err != nil {
			return err
		}
	}
	return nil
}

// runAsk asks for every letter of a pipeline that does not run.
func runAsk(args []string) error {
	set := flag.NewFlagSet("ask", flag.ExitOnError)
	dir := set.String("dir", "", "data `directory`")
	url := set.String("url", "", "of an external server")
	if err := set.Parse(args); err != nil {
		return err
	}
	ctx := context.Background()
	i, err := inspect.Open(ctx, engine.Config{Dir: *dir, NATS: engine.NATS{URL: *url}}.ToInspect())
	if err != nil {
		return err
	}
	queue, found, err := i.DeadLetters(ctx)
	if err == nil && found {
		err = askForAll(ctx, queue)
	}
	return errors.Join(err, i.Close())
}

// askForAll asks for every letter. That one waits already, or that it is not there any more, is as good.
func askForAll(ctx context.Context, queue *dlq.Queue) error {
	return queue.SelectInOrder(ctx, dlq.Filter{}, func(l dlq.Letter) error {
		say("asking for " + l.ID())
		err := queue.Replay(ctx, l, dlq.ReplayOptions{})
		if err != nil && !errors.Is(err, dlq.ErrPending) && !errors.Is(err, dlq.ErrStale) {
			return fmt.Errorf("ask for %s: %w", l.ID(), err)
		}
		say("asked for " + l.ID())
		return nil
	})
}
