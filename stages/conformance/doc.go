// Package conformance tests connectors: sources and sinks of systems outside, ours and those of users. It holds each
// to what its connector.About promises, against a real system, in processes that are killed.
//
// A package of a connector tells how to start the system, and how a pipeline reads or writes it:
//
//	var source = conformance.Source{
//		Name: "queue source", About: queue.About(), Start: startQueue,
//		Declare: func(p engine.Scope, name, address string) *engine.Stream[[]byte] {
//			return queue.Source(p, name, queue.Config{URL: address})
//		},
//	}
//
//	func TestMain(m *testing.M) {
//		conformance.Child(source)
//		os.Exit(m.Run())
//	}
//
//	func TestConformance(t *testing.T) { source.Test(t) }
//
// The test starts its own program again, as the child that it kills; Child is what that one runs, and returns at once
// in any other process.
//
// # The cases
//
//	order         values come in the order of the other side, with sizes from 0 to the largest
//	runs          a second run and a fresh one read, or write, everything again
//	kills         kill -9 at random moments
//	points        kill -9 at each fault point of the engine that the stage passes (package faultpoint)
//	outage        the other side goes away and comes back, at the start and in the middle: no attempt is used up
//	letters       values are rejected, become dead letters, and are replayed; with kill -9 in between
//	owners        a process is stopped (SIGSTOP), another one takes over, and the first goes on: it changes nothing more
//
// In all of them the secret of the connector is looked for in logs, errors, statuses and dead letters. The result is
// compared with the values, exactly: a source's with a file that stages.FileSink has written, and a sink's with what
// the other side has. With connector.OnceWithin each value must be there once, in any order; with AtLeastOnce it may
// be there more often.
//
// The environment sets how much is done: PENSTOCK_CONFORMANCE_KILLS (default 5) for kills at random moments, and
// PENSTOCK_CONFORMANCE_SEED repeats those of a run. A test prints a table of its cases.
//
// The cases need signals, so they are left out on Windows.
package conformance
