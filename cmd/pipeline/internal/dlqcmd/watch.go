package dlqcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/render"
	"penstock/cmd/pipeline/internal/socket"
	"penstock/cmd/pipeline/internal/where"
	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/inspect"
	"penstock/engine/redact"
)

// start is where a watch begins.
type start int

const (
	fromNow start = iota
	fromOldest
)

// watchPause is the time between two looks whether a pipeline runs.
const watchPause = 200 * time.Millisecond

// dlqWatchCmd shows letters as they come.
type dlqWatchCmd struct {
	By   filterFlags `embed:""`
	JSON bool        `name:"json" help:"Print each as one line of JSON, with all fields."`
}

// Run shows them. The signal that ends it is no failure.
func (c *dlqWatchCmd) Run(q *Cmd, a *app.Invocation) error {
	return q.do(a, "watch", func(ctx context.Context, d *dlqAccess) error {
		filter := c.By.filter()
		filter.WithoutValues = !c.JSON
		show, flush := lister(a, c.JSON)
		w := &watcher{dlqAccess: d, filter: filter, began: time.Now(), show: func(l dlq.Letter) error { return errors.Join(show(l), flush()) }}
		err := w.watch(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
}

// watcher follows the letters of a pipeline, from run to run.
type watcher struct {
	*dlqAccess
	filter dlq.Filter
	show   func(dlq.Letter) error

	began time.Time // letters from before are not meant
	last  uint64    // sequence of the newest that was shown
	lost  time.Time // the run ended: what was written until then, up to last, was shown
	said  bool      // that no process runs it
}

// watch asks the process that runs the pipeline. Where that has a server
// inside, nothing can come without it, and the directory stays free for it. An
// external server is watched whether the pipeline runs or not.
func (w *watcher) watch(ctx context.Context) error {
	from := fromNow
	for {
		run, err := openSocket(ctx, socket.Client{Dir: w.config.Dir, Log: w.config.Logger})
		switch {
		case err == nil:
			err = w.follow(ctx, run, from)
			w.lost, from, w.said = time.Now(), fromOldest, false
			if err != nil {
				return err
			}
		case !errors.Is(err, socket.ErrNobody):
			return w.unanswered(ctx, err)
		case w.config.NATS.URL != "":
			name, err := w.pipelineName(ctx)
			if err == nil {
				return w.withServer(ctx, name, func(l letterStore) error { return w.watchQueue(ctx, l.(*localLetters), from) })
			}
			if !errors.Is(err, engine.ErrLocked) { // else it is about to run
				return err
			}
		default:
			if err := w.wait(); err != nil {
				return err
			}
			if from = fromOldest; w.lost.IsZero() { // a run may write letters before it is found
				w.lost = w.began
			}
		}
		select {
		case <-time.After(watchPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// unanswered names the process that has the directory and does not answer.
func (w *watcher) unanswered(ctx context.Context, away error) error {
	if refused := (*socket.RefusedError)(nil); errors.As(away, &refused) {
		return away
	}
	if _, err := w.pipelineName(ctx); errors.Is(err, engine.ErrLocked) {
		away = where.WithHolder(away, err)
	}
	return app.CouldNotLook(away)
}

// follow returns nil when the run has ended.
func (w *watcher) follow(ctx context.Context, run *socketLetters, from start) error {
	if err := w.look.IsFrom(run.Pipeline); err != nil {
		return err
	}
	if err := checkStage(ctx, run, "--stage", w.filter.Stage); err != nil {
		return err
	}
	var failed error
	begun := func() { w.say("watching " + run.Pipeline) }
	err := run.Watch(ctx, w.filter, from == fromOldest, begun, func(l dlq.Letter) error {
		failed = w.tell(l)
		return failed
	})
	if failed != nil {
		return failed
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, socket.ErrStopping) {
		w.say("watching again: " + render.Escape(redact.Text(w.Hints.Explain(err))))
		return ctx.Err()
	}
	return nil
}

// tell shows a letter unless it was shown before.
func (w *watcher) tell(l dlq.Letter) error {
	if !w.lost.IsZero() && (l.At.Before(w.began) || l.Sequence <= w.last && l.At.Before(w.lost)) {
		return nil
	}
	w.last = l.Sequence
	return w.show(l)
}

func (w *watcher) watchQueue(ctx context.Context, l *localLetters, from start) error {
	if l.queue == nil {
		return fmt.Errorf("pipeline %s has never kept dead letters on this server: run it there first", l.pipeline)
	}
	if err := checkStage(ctx, l, "--stage", w.filter.Stage); err != nil {
		return err
	}
	w.say("watching " + l.pipeline)
	if from == fromOldest {
		return l.queue.Follow(ctx, w.filter, w.tell)
	}
	return l.queue.Watch(ctx, w.filter, w.tell)
}

// pipelineName is the name that the directory says, if there is one.
func (w *watcher) pipelineName(ctx context.Context) (string, error) {
	name := w.look.Name(w.Program)
	err := w.withInspector(ctx, (*inspect.Inspector).ReadDeadLetters, func(l letterStore) error {
		name, _ = l.about()
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) && w.look.Place.Dir == "" {
		err = nil
	}
	return name, err
}

// wait tells once that the pipeline does not run.
func (w *watcher) wait() error {
	if _, err := os.Stat(w.config.Dir); err != nil {
		return where.NotThere(w.config.Dir)
	}
	if !w.said {
		w.said = true
		name := "a pipeline"
		if w.look.Pipeline != "" || w.look.Place.Dir == "" {
			name = w.look.Name(w.Program)
		}
		w.say("waiting until " + name + " runs in " + w.config.Dir)
	}
	return nil
}

func (w *watcher) say(text string) { fmt.Fprintln(w.Stderr, w.Name()+": "+text) }
