package engine_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"penstock/engine"
	"penstock/engine/rights"
	"penstock/internal/testing/natsserver"
	"penstock/internal/testing/patient"
)

// A dead letter that may not be stored any more waits for the right.
func TestALetterThatMayNotBeStoredWaitsForTheRight(t *testing.T) {
	t.Parallel()
	dir, letters := t.TempDir(), "orders.sums.0.dead.>"
	all := rights.Of(rights.Config{Pipeline: "orders", Stages: []string{"numbers", "sums", "sink"}})
	s := authorizedIn(t, dir, all)
	reload := func(denied ...string) {
		o := natsserver.Options(dir)
		authorizedOptions(dir, all)(o)
		o.Users[0].Permissions.Publish.Deny = denied
		o.Port = s.Addr().(*net.TCPAddr).Port
		if err := s.ReloadOptions(o); err != nil {
			t.Error(err)
		}
	}
	going, release := make(chan struct{}), make(chan struct{})
	p := engine.New("orders")
	numbers := engine.Source(p, "numbers", count(10, 1))
	sums := engine.Stage(p, "sums", engine.On(numbers, func(_ context.Context, _ *struct{}, m engine.Message[uint64], _ engine.Emit[uint64]) error {
		if m.Offset == 0 {
			close(going)
			<-release
			return engine.Reject(errors.New("not this one"))
		}
		return nil
	}))
	engine.Sink(p, "sink", sums, func(context.Context, *struct{}, engine.Message[uint64]) error { return nil })
	config := asLimited(t, s, t.TempDir())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(t.Context(), config) }()
	<-going
	reload(letters)
	close(release)
	patient.Within(t, "the name of the wait", func() bool {
		waits := p.Status().Stages[1].Waits
		return len(waits) == 1 && waits[0].For == "permission" && strings.Contains(waits[0].Detail, "may not publish to orders.sums.0.dead.")
	})
	reload()
	if err := <-ended; err != nil || p.Status().Stages[1].DeadLetters != 1 {
		t.Fatalf("error %v, %+v", err, p.Status().Stages[1])
	}
}
