// Package nofollow writes files of a data directory without following symbolic links, so that a link of another user
// cannot lead a write elsewhere.
package nofollow
