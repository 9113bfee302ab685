package jetstream_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/engine"
	"penstock/engine/broker"
	"penstock/stages/jetstream"
)

// A login that the server does not take stops the pipeline, of a source and of a sink, and is shown nowhere.
func TestALoginThatIsRefused(t *testing.T) {
	t.Parallel()
	const secret = "verysecret"
	o := startOther(t, func(s *server.Options) {
		s.Users = []*server.User{{Username: "admin", Password: "admin"}, {Username: "app", Password: "right"}}
		s.NoAuthUser = "admin"
	})
	o.stream()
	address := strings.TrimPrefix(o.ClientURL(), "nats://")
	for name, nats := range map[string]engine.NATS{
		"password":      {URL: address, User: "app", Password: secret},
		"in the URL":    {URL: "nats://app:" + secret + "@" + address},
		"token":         {URL: address, Token: secret},
		"unknown user":  {URL: "nats://other:" + secret + "@" + address},
		"at sign in it": {URL: "nats://app:" + secret + "%40" + secret + "@" + address},
	} {
		source, _ := reads(jetstream.SourceConfig{NATS: nats})
		for kind, p := range map[string]*engine.Pipeline{"source": source, "sink": writes(jetstream.SinkConfig{NATS: nats}, 1, toText)} {
			t.Run(name+" of a "+kind, func(t *testing.T) {
				t.Parallel()
				r := start(t, p, engine.Config{Dir: t.TempDir()})
				_, err := r.end(false)
				if !errors.Is(err, broker.ErrConfig) {
					t.Errorf("%v, want %v", err, broker.ErrConfig)
				}
				if err != nil && strings.Contains(err.Error()+r.log.String(), secret) {
					t.Errorf("the secret is shown: %v\n%s", err, r.log)
				}
			})
		}
	}
}
