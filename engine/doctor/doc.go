// Package doctor finds what is wrong with the data directory and the channels of a pipeline, and mends what can be
// mended without guessing. Examine changes nothing. Repair tries everything with a copy first, and makes a backup.
//
// Neither needs the program of the pipeline. Use engine.Pipeline.Examine to examine a running pipeline.
package doctor
