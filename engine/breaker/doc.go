// Package breaker is the circuit breaker of a stage that calls out.
//
// When the other side of a call is down, calling it again for every message helps neither side. A [Breaker] counts the
// failures in a row. After [Config.Failures] of them it opens, and no call is made until [Config.Open] has passed. Then
// a single call is made, the probe. If it succeeds, the breaker closes. If it fails, the breaker stays open for the
// whole time again.
//
//	closed ── failures in a row ──► open ── time is over ──► half-open ── probe succeeds ──► closed
//	                                 ▲                           │
//	                                 └────────── probe fails ────┘
//
// Before a call ask [Breaker.Allow], which says yes or when to ask again. After a yes call exactly one of
// [Breaker.Done], with the outcome of the call, and [Breaker.Drop], if there was no call or it said nothing about the
// other side.
//
// There is no goroutine and no timer, and only Allow makes an open breaker half-open. [Breaker.State] and
// [Breaker.Counts] only read, so a dashboard may call them at any rate.
package breaker
