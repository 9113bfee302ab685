// Package render writes text for a terminal: text that cannot steer the terminal, tables, numbers, and a block of lines
// below the log. It knows nothing of pipelines.
package render
