// Package text writes numbers, times and errors for people, in a few characters.
package text
