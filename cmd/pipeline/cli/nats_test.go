package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/where"
	"penstock/internal/testing/natsserver"
)

func startServer(t *testing.T) (host string) {
	t.Helper()
	return natsserver.Start(t, withLogin).Addr().String()
}

func withLogin(o *server.Options) { o.Username, o.Password = "user", "secret" }

func TestExternalServer(t *testing.T) {
	t.Parallel()
	host := startServer(t)
	for name, args := range map[string][]string{
		"url":         {"--nats", "nats://user:secret@" + host},
		"environment": {"--nats", host, "--nats-user=user"},
	} {
		c := newCommand(t)
		c.env[where.PasswordVariable] = "secret"
		r := c.run(append([]string{"run", "--rate=1ms", "--beats=20", "--fresh", "--log-level=debug", "--report=-"}, args...)...)
		if r.code != app.ExitOK || !strings.Contains(r.stdout, `"completed": true`) {
			t.Fatalf("%s: exit %d\n%s", name, r.code, r.err)
		}
		s := c.run(append([]string{"state", "generator"}, args...)...)
		if s.code != app.ExitOK || s.stdout != `{"next":20}`+"\n" {
			t.Errorf("%s: exit %d, %q\n%s", name, s.code, s.stdout, s.err)
		}
		if strings.Contains(r.err+r.stdout+s.err, "secret") {
			t.Errorf("%s: a secret is shown:\n%s", name, r.err)
		}
	}
}

func TestSignalWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	r := c.start("run", "--nats=nats://user:secret@127.0.0.1:1")
	r.stderr.Await(t, "127.0.0.1:1")
	r.signals <- os.Interrupt
	end := r.wait()
	if end.code != app.ExitOK {
		t.Errorf("exit %d", end.code)
	}
	mustContain(t, "the log", end.err, "stopped before the run began", "read it from $PENSTOCK_NATS_PASSWORD")
	if strings.Contains(end.err, "secret") {
		t.Errorf("a secret is shown:\n%s", end.err)
	}
}
