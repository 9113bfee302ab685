package telemetry

import (
	"context"
	"net"
	"net/http"
)

// connectionsMost is how many connections there may be at once: those of the
// live streams, and others. What comes further waits to be let in, and takes
// none of the files that the pipeline needs.
const connectionsMost = 2 * listenersMost

// letIn is an http.Server's ConnState that lets so many in at once. The server
// accepts no other connection while it waits; it does not after ctx is done.
func letIn(ctx context.Context, most int) func(net.Conn, http.ConnState) {
	places := make(chan struct{}, most)
	return func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
			}
		case http.StateClosed:
			select {
			case <-places:
			default: // it came in at the end
			}
		}
	}
}
