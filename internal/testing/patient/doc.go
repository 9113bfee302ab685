// Package patient has data directories of pipelines that were stopped or killed in the middle, for tests of commands
// that read, mend or resume them.
package patient
