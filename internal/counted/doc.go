// Package counted writes how many things there are, for people.
package counted
