// Package nofollow writes files of a data directory without following a symbolic
// link in the place of one: what another user put there must not lead a write
// elsewhere.
package nofollow
