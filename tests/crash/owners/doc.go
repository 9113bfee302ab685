// Package owners checks who has committed what: in a channel no owner goes on after another has taken over.
package owners
