package natsserver

import (
	"net"
	"sync"
	"testing"
)

// Mute listens on a free port of the loopback interface until the test ends. It accepts connections and says nothing,
// as a server does that is stopped or overloaded. Accepted gets one value for each connection, as long as it has room.
func Mute(t testing.TB) (address string, accepted <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan struct{}, 16)
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			select {
			case came <- struct{}{}:
			default:
			}
		}
	})
	t.Cleanup(func() {
		listener.Close()
		accepting.Wait()
	})
	return listener.Addr().String(), came
}
