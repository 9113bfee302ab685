// Package loopback keeps ports for test servers that come back.
//
// A server that is stopped and started again on the same port can find it taken: the system gives free ports of that
// range to any connection. [Reserve] keeps a port that no other program gets, from before the first start until the end
// of the test.
package loopback
