// Package render writes what a terminal is shown: text that cannot steer it, tables,
// numbers, and a block of lines below what scrolls by. It knows nothing of pipelines.
package render
