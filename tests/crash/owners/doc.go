// Package owners looks at who has committed what: in a channel, nobody goes on after another has taken over.
package owners
