package broker

import (
	"sync"
	"testing"

	"penstock/internal/testing/natsserver"
)

// The connection may tell of refusals at any time, also while those of the rights are read.
func TestRightsAreCheckedWhileRefusalsComeIn(t *testing.T) {
	t.Parallel()
	b := open(t, Config{URL: natsserver.Start(t).ClientURL()})
	b.cfg.Needs = []Right{{Action: Publish, Subject: "some.>", Probes: []string{"some.probe"}}}
	over := make(chan struct{})
	var others sync.WaitGroup
	for _, subject := range []string{"one", "two"} {
		others.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					b.connection.refusals.refuse(b.conn, &PermissionError{Action: Publish, Subject: subject})
				}
			}
		})
	}
	for range 100 {
		if err := b.checkRights(testContext(t)); err != nil {
			t.Error(err)
		}
	}
	close(over)
	others.Wait()
}
