// Package measure holds what stages measure of themselves: histograms of how
// long, how old and how many.
//
// A Histogram is written by one place and read by many. A Snapshot of it is a
// value: the difference of two snapshots is what happened between them, and
// answers for averages and percentiles of that time.
//
//	var calls measure.Histogram
//	calls.Observe(0.0021, 16) // sixteen calls of 2.1 ms each
//	now := calls.Snapshot()
//	now.Quantile(0.99)
//
// Buckets grow by a factor of 2^(1/8), about 9 %, in the way of Prometheus'
// native histograms of schema 3, so that none has to be configured.
package measure
