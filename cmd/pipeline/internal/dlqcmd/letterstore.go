package dlqcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/letters"
	"penstock/dlq"
	"penstock/engine/observe"
)

// letterStore has the dead letters of one pipeline, wherever they are. None of the
// methods holds more than one in memory.
type letterStore interface {
	// about names the pipeline and says what it is doing.
	about() (pipeline string, state activity)
	// stages are the stages of the pipeline, with as much as is known of them.
	stages(context.Context) ([]stageOf, error)
	// Each calls fn with the letters that are selected. Its error ends it.
	Each(context.Context, letters.Request, func(dlq.Letter) error) error
	// Replay asks for replays in the order of origin, and tells of each letter.
	Replay(context.Context, letters.Request, func(letters.Outcome) error) error
	// Discard deletes, and tells of each letter.
	Discard(context.Context, dlq.Filter, func(letters.Outcome) error) error
	// Load puts exported letters, with force also those that may have had their effect, and tells of each that is refused.
	Load(ctx context.Context, r io.Reader, force bool, refused func(letters.Refusal) error) (dlq.Imported, error)
}

var (
	_ letterStore = (*localLetters)(nil)
	_ letterStore = (*socketLetters)(nil)
)

// activity is what a pipeline is doing.
type activity int

const (
	maybeRuns activity = iota // not known here
	isStopped
	isRunning
)

// stageOf is a stage. Its kind is not known without its program.
type stageOf struct {
	name string
	kind observe.Kind
}

// errNoLetter says that there is no letter of this ID.
var errNoLetter = errors.New("no such dead letter")

// find returns the letter of an ID, with its value.
func find(ctx context.Context, a *app.Invocation, l letterStore, id string) (found dlq.Letter, err error) {
	there := false
	err = l.Each(ctx, letters.Select(dlq.Filter{IDs: []string{id}, Unreadable: true}, letters.ByTime), func(letter dlq.Letter) error {
		found, there = letter, true
		return nil
	})
	if err == nil && !there {
		pipeline, _ := l.about()
		err = fmt.Errorf("%w: pipeline %s has none with the ID %s (it may have been replayed or discarded; see %s dlq list)", errNoLetter, pipeline, id, a.Name())
	}
	return found, err
}

// checkStage refuses a stage that the pipeline does not have.
func checkStage(ctx context.Context, l letterStore, flag, name string) error {
	if name == "" {
		return nil
	}
	stages, err := l.stages(ctx)
	if err != nil {
		return err
	}
	pipeline, _ := l.about()
	var names []string
	for _, s := range stages {
		if s.name == name {
			return nil
		}
		names = append(names, s.name)
	}
	slices.Sort(names)
	return fmt.Errorf("%s: pipeline %s has no stage %q, it has %s", flag, pipeline, name, strings.Join(names, ", "))
}

// checkTarget refuses a stage that takes no messages.
func checkTarget(ctx context.Context, l letterStore, name string) error {
	if err := checkStage(ctx, l, "--to", name); name == "" || err != nil {
		return err
	}
	stages, err := l.stages(ctx)
	if err != nil {
		return err
	}
	for _, s := range stages {
		if s.name == name && s.kind == observe.KindSource {
			return fmt.Errorf("--to: %s is a source and takes no messages", name)
		}
	}
	return nil
}

// none explains that nothing was selected: nil when that is no mistake.
func none(ctx context.Context, a *app.Invocation, l letterStore, f dlq.Filter) error {
	if err := checkStage(ctx, l, "--stage", f.Stage); err != nil {
		return err
	}
	if local, ok := l.(*localLetters); ok && local.queue == nil {
		fmt.Fprintf(a.Stderr, "%s: %s has never kept dead letters on this server; if it runs with another NATS server, name that with --nats\n", a.Name(), local.pipeline)
	}
	return nil
}
