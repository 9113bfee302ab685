// Package argsfile is the form of the file that has the arguments of the last run of a data directory: the command
// writes it, and the doctor looks whether it is sound.
package argsfile
