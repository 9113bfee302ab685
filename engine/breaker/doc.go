// Package breaker is the circuit breaker of a stage that calls out.
//
// When the other side of a call is down, asking it again for every message helps neither side. A [Breaker] counts the
// calls that failed in a row; after [Config.Failures] of them it opens, and no call is made until [Config.Open] has passed.
// Then a single one, the probe, shows how things are: a success closes the breaker, a failure keeps it open for the whole
// time once more.
//
//	closed ── failures in a row ──► open ── time is over ──► half-open ── probe succeeds ──► closed
//	                                 ▲                           │
//	                                 └────────── probe fails ────┘
//
// Before a call ask [Breaker.Allow], which says yes or when to ask again. After a yes comes exactly one [Breaker.Done]
// with how the call went, or one [Breaker.Drop] if there was no call or it told nothing about the other side.
//
// Nothing happens behind the caller's back: there is no goroutine and no timer, and only Allow makes an open breaker
// half-open. [Breaker.State] and [Breaker.Counts] just look, so a dashboard may read them at any rate.
package breaker
