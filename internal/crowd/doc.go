// Package crowd bounds how many connections a listener has open. When there are too many, one that waits for a request
// makes room. So clients that say nothing keep no other out, and the process does not run out of files.
package crowd
