// Package shipped has the commands of the pipelines that come with Penstock: what
// any program that is made of package cli has for its own.
package shipped
