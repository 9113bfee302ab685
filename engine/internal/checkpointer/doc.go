// Package checkpointer writes the committed states of a pipeline to the store, and lets the channels be trimmed behind
// them. What it knows of the instances is in the interfaces [Instance] and [Pipeline].
package checkpointer
