// Package answer is what a function of a stage can answer besides nil and an ordinary error: package engine gives these to users, and
// the task that made the call looks which one came. An answer may be wrapped.
package answer
