// Package lookcmd has the verbs state and events, which look into a pipeline.
package lookcmd
