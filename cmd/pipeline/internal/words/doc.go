// Package words names what mends an error by a program's flags and verbs. The library names remedies and knows no
// command line.
package words
