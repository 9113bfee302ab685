// Package remedy names what mends an error, in words that each program can replace by its own. The text of an error
// names fields and functions of the library, as in "start over with Config.Fresh". The command turns that into
// "--fresh". A program with a window may turn it into "the button Start over".
package remedy
