package task

import (
	"context"
	"fmt"
	"sync"
	"time"

	"penstock/engine/internal/ports"
	"penstock/engine/observe"
	"penstock/engine/supervise"
)

// waitWatch tells of the waits of a run that last longer than they do for good
// reasons: once as an event, and again and again in the log, until they are
// over.
type waitWatch struct {
	run  *Run
	told map[waitPlace]*toldWait
}

// waitPlace is where a wait is under way.
type waitPlace struct {
	in    *Instance // nil: the run itself
	input int       // of it, counted from 1; 0: none
	kind  waitKind
}

type toldWait struct {
	wait  currentWait
	again time.Time // it is logged once more
	pause time.Duration
	seen  bool // it is still under way
}

const (
	waitLook      = time.Second
	waitAgain     = 30 * time.Second // until it is logged for the second time; then twice as long, and so on
	waitAgainAway = 5 * time.Second  // the same of what a function calls: most of these are short
	waitAgainMost = 5 * time.Minute
)

// WatchWaits begins to watch; stop ends that, and waits for it.
func (r *Run) WatchWaits() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	w := &waitWatch{run: r, told: map[waitPlace]*toldWait{}}
	watching.Go(func() {
		for r.Clock.Pause(ctx, waitLook) == nil {
			w.look(r.Clock.Now())
			r.Sampled.Flush(r.Clock.Now(), false)
		}
	})
	return func() {
		cancel()
		watching.Wait()
		w.end(r.Clock.Now())
	}
}

// look tells what has become overdue, and what that was is over.
func (w *waitWatch) look(now time.Time) {
	for _, told := range w.told {
		told.seen = false
	}
	isReady := w.run.Ready.Load() // before it, the start may still set what is read here
	if isReady {
		b := w.run.Server
		w.run.Waits.note(waitBroker, !b.Connected(), noConnection(b))
		w.noteAnswers(b)
	}
	w.lookAt(waitPlace{}, w.run.Waits.List(now, w.run.Settings.Patience), now)
	if isReady {
		for _, in := range w.run.Instances {
			w.lookAt(waitPlace{in: in}, in.WaitsNow(now), now)
		}
	}
	for place, told := range w.told {
		if !told.seen {
			delete(w.told, place)
			w.over(place, told, now)
		}
	}
}

func noConnection(b ports.Server) string {
	text := "no connection to " + b.Server()
	if failure := b.Failure(); failure != "" {
		text += ": " + failure
	}
	return text
}

// noteAnswers tells of a server that is connected and does not answer.
func (w *waitWatch) noteAnswers(b ports.Server) {
	if since, is := b.Unanswered(); is {
		w.run.Waits.set(waitAnswer, underWay{detail: "the NATS server " + b.Server() + " does not answer", since: since})
	} else {
		w.run.Waits.end(waitAnswer)
	}
}

// end tells of the waits that last to the end of the run: each that was told of
// ends in the events.
func (w *waitWatch) end(now time.Time) {
	for place, told := range w.told {
		w.over(place, told, now)
	}
	clear(w.told)
}

func (w *waitWatch) lookAt(place waitPlace, list []currentWait, now time.Time) {
	for _, wait := range list {
		if !wait.Overdue {
			continue
		}
		place.kind, place.input = wait.kind, wait.input
		told := w.told[place]
		if told != nil && !told.wait.Since.Equal(wait.Since) { // between two looks one ended, and the next began
			w.over(place, told, wait.Since)
			told = nil
		}
		if told == nil {
			told = &toldWait{wait: wait, pause: place.kind.logPause()}
			told.again = now.Add(told.pause)
			w.told[place] = told
			w.run.tell(supervise.Event{Child: place.stage(), Kind: observe.WaitsLong, Detail: wait.String()})
			if !wait.isTold {
				w.log(place, wait)
			}
		}
		told.wait, told.seen = wait, true
		if !now.Before(told.again) {
			told.pause = min(2*told.pause, waitAgainMost)
			told.again = now.Add(told.pause)
			w.log(place, wait)
		}
	}
}

func (w *waitWatch) log(place waitPlace, wait currentWait) {
	log, who := w.run.Log, "the pipeline waits"
	if place.in != nil {
		log, who = place.in.Log, "the stage waits"
	}
	log.Warn(who, "for", wait.For, "detail", wait.Detail, "since", wait.Since, "readiness", wait.Readiness)
}

func (w *waitWatch) over(place waitPlace, told *toldWait, now time.Time) {
	lasted := now.Sub(told.wait.Since).Round(time.Second)
	w.run.tell(supervise.Event{Child: place.stage(), Kind: observe.WaitEnded, Detail: fmt.Sprintf("%s, after %v", told.wait.For, lasted)})
	if told.wait.isTold {
		return
	}
	log, what := w.run.Log, "the pipeline's wait ended"
	if place.in != nil {
		log, what = place.in.Log, "the stage's wait ended"
	}
	log.Info(what, "for", told.wait.For, "lasted", lasted)
}

// logPause is how long after its first line a wait is logged again.
func (k waitKind) logPause() time.Duration {
	if k == waitUnavailable {
		return waitAgainAway
	}
	return waitAgain
}

func (p waitPlace) stage() string {
	if p.in == nil {
		return ""
	}
	return p.in.Definition.Name
}

// replayWaits are those of the input that dead letters come back through.
func (in *Instance) replayWaits() *waits { return &in.Waiting.reading[len(in.Definition.Inputs)] }

// WaitsNow are the waits of the stage, and of its inputs.
func (in *Instance) WaitsNow(now time.Time) []currentWait {
	patience := in.Run.Settings.Patience
	list := append(in.Waiting.waits.List(now, patience), in.functionWaits(now)...)
	for k := range in.Waiting.reading {
		for _, wait := range in.Waiting.reading[k].List(now, patience) {
			wait.input = k + 1
			list = append(list, wait)
		}
	}
	for k := range list {
		in.explain(&list[k], now)
	}
	return withoutFollowers(list)
}
