// Package record observes a pipeline: it makes a [Sample] each second, triggers color what is out of bounds in it, and
// an hour of samples and events is kept, sent to listeners, and written as a recording. It serves nothing and draws
// nothing.
//
// Package telemetry has these types too, under the same names.
package record
