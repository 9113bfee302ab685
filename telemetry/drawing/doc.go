// Package drawing draws a pipeline as a graph: as text in the language of Graphviz, and with the system's
// dot as SVG.
package drawing
