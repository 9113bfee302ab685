// Package nofollow is the one way to open a file of a data directory. No symbolic link is followed, so that a link of
// another user cannot lead a write elsewhere. Nothing but a regular file is opened, so that no pipe is waited for. And
// what libraries open by themselves is examined before: CheckTree.
package nofollow
