package broker

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"penstock/internal/testing/natsserver"
	"penstock/tests/loopback"
)

// silent are the addresses of servers that do not answer.
func silent(t *testing.T) map[string]string {
	mute, _ := natsserver.Mute(t)
	return map[string]string{
		"says nothing": "nats://pipe:s3cret@" + mute,
		"refuses":      "nats://pipe:s3cret@" + net.JoinHostPort("127.0.0.1", itoa(loopback.ForTest(t))),
	}
}

func TestAServerThatDoesNotAnswerInTimeIsNamed(t *testing.T) {
	t.Parallel()
	for name, url := range silent(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(testContext(t), Config{URL: url, ConnectTimeout: 10 * time.Millisecond})
			wantError(t, err, ErrNoServer, strings.Replace(url, "pipe:s3cret", "…", 1), "within 10ms", "Config.NATS", "NATS.ConnectTimeout")
		})
	}
}

func TestTheWaitForAServerIsToldOnce(t *testing.T) {
	t.Parallel()
	for name, url := range silent(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJournal()
			ctx, cancel := context.WithCancel(testContext(t))
			ended := make(chan error, 1)
			go func() {
				_, err := Open(ctx, Config{URL: url, ConnectTimeout: time.Hour, Logger: j.logger()})
				ended <- err
			}()
			line := "waiting for " + strings.Replace(url, "pipe:s3cret", "…", 1) + `" at_most=1h0m0s`
			j.await(t, line)
			cancel()
			wantError(t, <-ended, context.Canceled)
			if text := j.String(); strings.Count(text, "waiting for") != 1 || strings.Contains(text, "s3cret") {
				t.Errorf("the log is:\n%s", text)
			}
		})
	}
}
