// Package shipped has the commands of the pipelines that come with Penstock, just as any program made with package cli
// has them for its own pipelines.
package shipped
