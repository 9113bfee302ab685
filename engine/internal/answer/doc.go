// Package answer has what a function of a stage can return besides nil and an ordinary error. Package engine gives
// these values to users, and the task that made the call checks which one came back. They may be wrapped.
package answer
