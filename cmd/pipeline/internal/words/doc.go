// Package words says in a program's flags and verbs what mends an error: the library names
// remedies and knows no command line.
package words
