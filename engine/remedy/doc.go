// Package remedy says by what an error is mended, in words that each program can
// replace by its own. The text of an error names fields and functions of the library,
// as in "start over with Config.Fresh". The command makes "--fresh" of that; a program
// with a window may make "the button Start over" of it.
package remedy
