package engine

import (
	"time"

	"penstock/engine/breaker"
	"penstock/engine/internal/plan"
	"penstock/engine/supervise"
)

// RestartPolicy says when a stage is restarted. Default supervise.Transient:
// after a failure. A supervise.Permanent stage is started again also when its
// function answers io.EOF, and ends only when its inputs have. A
// supervise.Temporary one is given up at its first failure: it keeps its state
// and its messages, and the next run goes on with them.
func RestartPolicy(p supervise.Policy) Option {
	return func(o *plan.Options) { o.Policy = p }
}

// RestartBackoff is how long to wait before a failed stage starts again.
// Default: 100 ms, doubling to 30 s, with a tenth of jitter; it begins anew
// when the stage has committed something in between, or was quiet for a minute.
func RestartBackoff(b supervise.Backoff) Option {
	return func(o *plan.Options) { o.Backoff = b }
}

// UnavailableBackoff is how long to wait before a call is made again that has
// answered Unavailable. Default: 100 ms, doubling to 5 s, with a fifth of jitter,
// also for what b leaves out; it begins anew when a call has succeeded. Each try
// is one call, so the stage is back this soon after what it calls is.
func UnavailableBackoff(b supervise.Backoff) Option {
	return func(o *plan.Options) { o.Unavailable = b }
}

// RestartLimit gives each stage an account of its own: after this many restarts
// within the window the next failure escalates to the parent of its group (for
// a stage of no group the pipeline stops). Without it a stage's restarts count
// toward the limit of its group, together with those of its siblings; see
// Group. A negative number is no limit.
func RestartLimit(restarts int, window time.Duration) Option {
	return func(o *plan.Options) { o.Limit = &supervise.Limit{Restarts: restarts, Window: window} }
}

// Preset sets RestartBackoff and RestartLimit together: supervise.Production,
// supervise.Strict or supervise.Lenient.
func Preset(p supervise.Preset) Option {
	return func(o *plan.Options) { o.Backoff, o.Limit = p.Backoff, &p.Limit }
}

// HealthChecks are asked at an interval, beside the stage's functions. A stage
// that is found unhealthy is restarted; see supervise.Check. HealthOf makes the
// answer of an error. A probe that panics with Unavailable answers that the stage
// is degraded.
func HealthChecks(checks ...supervise.Check) Option {
	return func(o *plan.Options) { o.Checks = append(append([]supervise.Check(nil), o.Checks...), checks...) }
}

// Deadline bounds how long a stage's functions may take: one message, one
// batch, one timer, one hook, or one call of a source (leave it off for one
// that waits for its input). Default: no bound. A stage that takes longer is
// unhealthy: its context is cancelled, and if it does not return within
// StopTimeout it is left behind, can neither emit nor commit any more, and the
// stage goes on without it. The message counts a failed attempt. It is noticed
// within an eighth of the deadline.
func Deadline(d time.Duration) Option {
	return func(o *plan.Options) { o.Deadline = max(d, 0) }
}

// StopTimeout is how long a stage's function may take to return when its
// context is done, before it is abandoned. Default 5 s.
func StopTimeout(d time.Duration) Option {
	return func(o *plan.Options) { o.StopTimeout = d }
}

// RecoveryTimeout is how long a recovery function may take. Default 5 s.
func RecoveryTimeout(d time.Duration) Option {
	return func(o *plan.Options) { o.RecoverTime = d }
}

// CircuitBreaker is for a stage that calls out: after some failed messages in a
// row it is open, and the stage holds its input, without any attempt, until a
// probe with a single message succeeds. An error or a panic of a message is a
// failure, and so is Unavailable; Reject, Hold and Snooze are not. Failures
// count attempts all the same, so let Attempts be more than
// breaker.Config.Failures, or answer with Unavailable, which counts none.
func CircuitBreaker(c breaker.Config) Option {
	return func(o *plan.Options) { o.Breaker = &c }
}
