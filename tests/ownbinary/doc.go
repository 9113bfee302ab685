// Package ownbinary tests programs of users, each built in a module of its own: one of
// package cli, and one that runs its pipeline itself. testdata has their source.
package ownbinary
