// Package loopback keeps ports for servers of tests that come back.
//
// A server that is stopped and started again on the port it had can find it taken: the system gives a free port of that range to
// any connection of anybody. [Reserve] takes a port that nobody else gets, from before the first start until the end of the test.
package loopback
