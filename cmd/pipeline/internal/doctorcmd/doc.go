// Package doctorcmd has the verbs doctor and repair, which find and mend what is wrong with a data
// directory.
package doctorcmd
