// Package plan says what a pipeline is made of, without knowing how it runs.
package plan
