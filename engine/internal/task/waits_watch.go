package task

import (
	"context"
	"sync"
	"time"

	"penstock/engine/internal/ports"
	"penstock/engine/internal/waits"
)

// WatchWaits begins to watch the waits of the run; stop ends that, and waits for it.
func (r *Run) WatchWaits() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	w := waits.NewWatch(r.tell)
	watching.Go(func() {
		for r.Clock.Pause(ctx, waits.Interval) == nil {
			r.lookAtWaits(w, r.Clock.Now())
			r.Sampled.Flush(r.Clock.Now(), false)
		}
	})
	return func() {
		cancel()
		watching.Wait()
		w.End(r.Clock.Now())
	}
}

// lookAtWaits shows the watch those of the run and of its stages.
func (r *Run) lookAtWaits(w *waits.Watch, now time.Time) {
	isReady := r.Ready.Load() // before it, the start may still set what is read here
	if isReady {
		r.Waits.Note(waits.Broker, !r.Server.Connected(), noConnection(r.Server))
		r.noteAnswers(r.Server)
	}
	all := []waits.Waiter{{Log: r.Log, Waits: r.Waits.List(now, r.Settings.Patience)}}
	if isReady {
		for _, in := range r.Instances {
			all = append(all, waits.Waiter{Stage: in.Definition.Name, Log: in.Log, Waits: in.WaitsNow(now)})
		}
	}
	w.Look(now, all...)
}

func noConnection(b ports.Server) string {
	text := "no connection to " + b.Server()
	if failure := b.Failure(); failure != "" {
		text += ": " + failure
	}
	return text
}

// noteAnswers names the wait for a server that is connected and does not answer.
func (r *Run) noteAnswers(b ports.Server) {
	if since, is := b.Unanswered(); is {
		r.Waits.BeginAs(waits.Answer, waits.Begun{Detail: "the NATS server " + b.Server() + " does not answer", Since: since})
	} else {
		r.Waits.End(waits.Answer)
	}
}
