// Package hint writes the flags of commands that people copy from a log or an
// error.
package hint
