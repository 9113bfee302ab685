package dashboard

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"penstock/engine/observe"
	"penstock/telemetry"
)

// wait waits for a condition outside of the page.
func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(late)
	for !is() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not within %v: %s", late, what)
		}
	}
}

func (s *served) stage(name string) observe.StageStatus {
	for _, stage := range s.pipeline.Status().Stages {
		if stage.Name == name {
			return stage
		}
	}
	return observe.StageStatus{}
}

// awaitSamples waits until the server has taken, and sent, so many more.
func (s *served) awaitSamples(t *testing.T, n int) {
	t.Helper()
	newest := func() (at time.Time) {
		answer, err := http.Get(s.url + "api/v1/sample")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var sample telemetry.Sample
		if err := json.NewDecoder(answer.Body).Decode(&sample); err != nil {
			t.Fatal(err)
		}
		return sample.Time
	}
	for range n {
		last := newest()
		wait(t, "a sample", func() bool { return newest().After(last) })
	}
}

func (s *served) letters(t *testing.T) uint64 {
	t.Helper()
	queue, err := s.pipeline.DeadLetters()
	if err != nil {
		t.Fatal(err)
	}
	n, err := queue.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// passOn passes connections on until ctx is done, and cuts those that are open then.
func passOn(ctx context.Context, listener net.Listener, to string) {
	var all sync.WaitGroup
	all.Go(func() {
		<-ctx.Done()
		_ = listener.Close()
	})
	for {
		from, err := listener.Accept()
		if err != nil {
			break
		}
		all.Go(func() { join(ctx, from, to) })
	}
	all.Wait()
}

func join(ctx context.Context, from net.Conn, to string) {
	defer from.Close()
	there, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer there.Close()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, there}, {there, from}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			ended <- struct{}{}
		}()
	}
	seen := 0
	select {
	case <-ctx.Done():
	case <-ended:
		seen++
	}
	_, _ = from.Close(), there.Close()
	for ; seen < 2; seen++ {
		<-ended
	}
}
