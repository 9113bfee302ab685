// Package patient has data directories of pipelines that were stopped or killed in the middle, for tests of what looks at
// them, mends them, and goes on with them.
package patient
