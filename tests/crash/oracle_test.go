package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/inspect"
	"penstock/engine/observe"
)

// site is where a workload runs.
type site struct {
	root string // what is below belongs to it
	url  string // "" is the embedded server
}

func (s site) data() string   { return filepath.Join(s.root, "data") }
func (s site) output() string { return filepath.Join(s.root, "output") }
func (s site) report() string { return filepath.Join(s.root, "report") }

var silent = slog.New(slog.DiscardHandler)

// statesOf reads the committed states of a stage: by key, or under "".
func statesOf[S any](ctx context.Context, i *inspect.Inspector, stage string) (map[string]S, error) {
	states := map[string]S{}
	err := i.State(ctx, stage, func(key string, data json.RawMessage) error {
		var state S
		if err := json.Unmarshal(data, &state); err != nil {
			return fmt.Errorf("state of %s, key %q: %w", stage, key, err)
		}
		states[key] = state
		return nil
	})
	return states, err
}

// inspect opens the directory of a pipeline that does not run.
func (s site) inspect(ctx context.Context, look func(*inspect.Inspector) error) error {
	i, err := inspect.Open(ctx, engine.Config{Dir: s.data(), NATS: engine.NATS{URL: s.url}, Logger: silent}.ToInspect())
	if err != nil {
		return err
	}
	err = look(i)
	return errors.Join(err, i.Close())
}

// withBroker connects to what holds the channels of a pipeline that does not run.
func (s site) withBroker(ctx context.Context, use func(*broker.Broker) error) error {
	b, err := broker.Open(ctx, broker.Config{Dir: filepath.Join(s.data(), "jetstream"), URL: s.url})
	if err != nil {
		return err
	}
	defer b.Close()
	return use(b)
}

// letters returns the dead letters of a pipeline.
func (s site) letters(ctx context.Context, pipeline string) (list []dlq.Letter, err error) {
	err = s.withBroker(ctx, func(b *broker.Broker) error {
		queue, found, err := dlq.Lookup(ctx, b.JetStream(), pipeline)
		if err != nil || !found {
			return err
		}
		return queue.Each(ctx, func(l dlq.Letter) error {
			list = append(list, l)
			return nil
		})
	})
	return list, err
}

// readReport reads what the victim reported, which is about a complete run.
func (s site) readReport() (status observe.Status, err error) {
	data, err := os.ReadFile(s.report())
	if err == nil {
		err = json.Unmarshal(data, &status)
	}
	if err == nil && !status.Completed {
		err = errors.New("the run is not complete")
	}
	if err != nil {
		return status, fmt.Errorf("report: %w", err)
	}
	return status, nil
}

// checkCounts compares the totals of a report with [in, out] of some stages.
func checkCounts(status observe.Status, want map[string][2]uint64) error {
	var wrong []error
	for _, stage := range status.Stages {
		if w, found := want[stage.Name]; found && w != [2]uint64{stage.In, stage.Out} {
			wrong = append(wrong, fmt.Errorf("stage %s took %d and emitted %d, want %d and %d", stage.Name, stage.In, stage.Out, w[0], w[1]))
		}
		if stage.Lag != 0 || !stage.Ended {
			wrong = append(wrong, fmt.Errorf("stage %s: lag %d, ended %v", stage.Name, stage.Lag, stage.Ended))
		}
	}
	return errors.Join(wrong...)
}

// closing closes after use.
func closing(c io.Closer, err error) error { return errors.Join(err, c.Close()) }
