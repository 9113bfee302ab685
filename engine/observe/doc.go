// Package observe has what a pipeline tells of itself, as plain data.
package observe
