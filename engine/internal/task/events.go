package task

import (
	"errors"
	"log/slog"
	"time"

	"penstock/dlq"
	"penstock/engine/internal/diskspace"
	"penstock/engine/internal/logsample"
	"penstock/engine/observe"
	"penstock/engine/remedy"
	"penstock/engine/supervise"
)

// OnEvent counts, keeps and tells what happens to the stages and groups. The
// supervisor calls it for one event at a time.
func (r *Run) OnEvent(e supervise.Event) {
	r.telling.Lock()
	defer r.telling.Unlock()
	e.Err = remedy.As(e.Err, r.Settings.Words)
	if in := r.Named(e.Child); in != nil {
		in.count(e)
		in.say(e)
		in.keep(e)
	} else {
		say(r.Log.With("group", e.Child), "the group", e)
	}
	if told := r.Settings.OnEvent; told != nil {
		told(e)
	}
}

// tell passes on what a stage itself has to say.
func (r *Run) tell(e supervise.Event) {
	e.Time = time.Now()
	r.OnEvent(e)
}

// keep writes an event down, with the counters. That of a message which does not
// end the life of its stage comes with the next commit: there may be many.
func (in *Instance) keep(e supervise.Event) {
	if err := in.Observed.History.Add(e); err != nil {
		in.Log.Warn("cannot save an event", "event", e.Kind.String(), "error", err)
	}
	if e.Kind == observe.Diverted || e.Kind == supervise.Failed && e.Detail == noRestart {
		in.Observed.Stats.unsaved.Store(true)
		return
	}
	in.saveNews()
}

// noRestart is the detail of a failure after which the stage goes on.
const noRestart = "no restart"

// saveNews writes down the counters and the events there are.
func (in *Instance) saveNews() {
	in.Observed.Stats.unsaved.Store(false)
	in.saveStats()
	if err := in.Observed.History.Flush(); diskspace.IsNoSpace(err) {
		in.Observed.Stats.unsaved.Store(true)
	} else if err != nil {
		in.Log.Warn("cannot save events", "error", err)
	}
}

// say logs an event of the stage. Those that come once for each message are
// sampled.
func (in *Instance) say(e supervise.Event) {
	ofMessage := e.Detail == noRestart || supervise.IsUncounted(e.Err)
	switch {
	case e.Kind == supervise.Failed && ofMessage:
		in.logOften(slog.LevelError, logsample.Alike(e.Err.Error()), "the stage failed", "reason", e.Reason.String(), "error", brief(e.Err))
	case e.Kind == supervise.BackingOff && ofMessage:
		in.logOften(slog.LevelInfo, e.Reason.String(), "restarting after a delay", "delay", e.Delay, "restart", e.Restart)
	case e.Kind == observe.BreakerChanged:
		in.logOften(slog.LevelWarn, e.Detail, "the circuit breaker changed", "breaker", e.Detail)
	default:
		say(in.Log, "the stage", e)
	}
}

func say(log *slog.Logger, who string, e supervise.Event) {
	switch e.Kind {
	case supervise.Failed:
		log.Error(who+" failed", "reason", e.Reason.String(), "error", brief(e.Err))
	case supervise.BackingOff:
		log.Info("restarting after a delay", "delay", e.Delay, "restart", e.Restart)
	case supervise.GivenUp:
		log.Error(who+" was given up; its state and messages are kept", "error", brief(e.Err))
	case supervise.Escalated:
		sayEscalated(log, who, e)
	case supervise.Abandoned:
		log.Error(who+" did not stop: its function is abandoned and cannot change anything any more", "detail", e.Detail)
	case supervise.RecoveryFailed:
		log.Error("the recovery function failed; escalating the failure", "error", brief(e.Err))
	case supervise.HealthChanged:
		log.Warn("the health changed", "health", e.Detail)
	case observe.Diverted, observe.StateSize: // told where it happens, with everything
	case observe.SpaceChanged: // told once for all stages
	case observe.ForeignMessage: // told by the channel
	case observe.WaitsLong, observe.WaitEnded: // told by who watches the waits, which repeats it
	case observe.TakenOver:
		log.Warn(who+" was taken over by another process: it commits nothing more here", "error", brief(e.Err))
	case observe.LettersFull:
		log.Error(who+" waits: a dead letter cannot be stored", "id", e.Detail, "error", e.Err)
	default:
		log.Debug(who+" is "+e.Kind.String(), "restart", e.Restart)
	}
}

// sayEscalated tells why a failure goes up. What no restart can mend goes up to
// the end of Run, whose error it is: then it is told there.
func sayEscalated(log *slog.Logger, who string, e supervise.Event) {
	var limit *supervise.LimitError
	switch {
	case supervise.IsFatal(e.Err):
		log.Debug(who+" stops the pipeline: a restart cannot fix its failure", "error", brief(e.Err))
	case errors.As(e.Err, &limit) && limit == e.Err:
		log.Error(who+" exceeded its restart limit; escalating the failure", "error", brief(e.Err))
	default:
		log.Error(who+" escalates its failure, as its recovery function decided", "error", brief(e.Err))
	}
}

// briefError is one whose text is not too long for a log.
type briefError struct{ error }

func (e briefError) Error() string { return dlq.Cut(e.error.Error(), dlq.MaxText) }

func (e briefError) Unwrap() error { return e.error }

// brief shortens the text of an error for the log: users' errors may hold the
// whole message.
func brief(err error) error {
	if err == nil || len(err.Error()) <= dlq.MaxText {
		return err
	}
	return briefError{err}
}

// count adds an event to what the Status says of the stage.
func (in *Instance) count(e supervise.Event) {
	switch e.Kind {
	case supervise.Starting, supervise.Restarting:
		in.Phase.On(startsAgain)
		if e.Kind == supervise.Restarting {
			in.Observed.Stats.countRestart(e.Reason.String())
		}
	case supervise.Failed:
		in.countFailure(e)
	case supervise.GivenUp:
		in.Fault.cause.Store(&e)
		in.Phase.On(givesUp)
		in.Run.PokeAll()
		in.Run.endIfStuck()
	case supervise.RecoveryFailed:
		in.Observed.Stats.count(func(c *observe.LifeCounts) { c.RecoveryFailures++ })
	}
}

func (in *Instance) countFailure(e supervise.Event) {
	var panicked *supervise.PanicError
	switch {
	case e.Reason == supervise.Unhealthy:
		in.Observed.Stats.count(func(c *observe.LifeCounts) { c.Unhealthy++ })
	case errors.As(e.Err, &panicked):
		in.Observed.Stats.count(func(c *observe.LifeCounts) { c.Panics++ })
	default:
		in.Observed.Stats.count(func(c *observe.LifeCounts) { c.Errors++ })
	}
}

// logOften logs what may come once for every message of the stage.
func (in *Instance) logOften(level slog.Level, kind, line string, args ...any) {
	in.Run.Sampled.Write(in.Log, level, logsample.Kind{Stage: in.Definition.Name, Line: line, About: kind}, in.Run.Clock.Now(), args...)
}
