// Package leak finds goroutines that the tests of a package leave behind.
package leak
