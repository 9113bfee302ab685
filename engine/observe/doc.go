// Package observe has what a pipeline reports about itself, as plain data.
package observe
