package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/cmd/pipeline/internal/app"
	"penstock/internal/testing/natsserver"
)

// What is printed is a server's configuration with which the pipeline runs, is looked at and has its letters listed.
func TestPrintedPermissionsAreEnough(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"a pipeline of this program": {"fizzbuzz", "--inbox-prefix", "_INBOX_fizzbuzz"},
		"stages are named":           {"fizzbuzz", "--stages=generator,heartbeat,worker,logger", "--inbox-prefix=_INBOX_fizzbuzz"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCommand(t)
			printed := c.run(append([]string{"nats-permissions", "--password", "l"}, args...)...)
			if printed.code != app.ExitOK {
				t.Fatalf("exit %d: %s", printed.code, printed.err)
			}
			login := []string{"--nats", configured(t, printed.stdout), "--nats-user=fizzbuzz", "--nats-password=l", "--nats-inbox-prefix=_INBOX_fizzbuzz"}
			r := c.run(append([]string{"run", "--rate=1ms", "--beats=20", "--report=-"}, login...)...)
			if r.code != app.ExitOK || !strings.Contains(r.stdout, `"completed": true`) {
				t.Fatalf("exit %d\n%s", r.code, r.err)
			}
			for _, verb := range [][]string{{"state", "generator"}, {"dlq", "list", "--dir", c.dir("fizzbuzz")}, {"doctor", "--dir", c.dir("fizzbuzz")}} {
				if r := c.run(append(verb, login...)...); r.code != app.ExitOK {
					t.Errorf("%s: exit %d\n%s%s", verb[0], r.code, r.stdout, r.err)
				}
			}
			less := strings.Replace(printed.stdout, `"$JS.API.STREAM.PURGE`, `"other`, 1)
			login[1] = configured(t, less)
			r = newCommand(t).run(append([]string{"run", "--rate=1ms", "--beats=20"}, login...)...)
			if r.code != app.ExitFailed {
				t.Errorf("exit %d", r.code)
			}
			mustContain(t, "the refusal", r.err, "user fizzbuzz may not publish to $JS.API.STREAM.PURGE.", "nats-permissions")
		})
	}
}

// configured is a server with this configuration of its users.
func configured(t *testing.T, accounts string) (url string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server.conf")
	text := fmt.Sprintf("listen: \"127.0.0.1:-1\"\njetstream { store_dir: %q }\n%s", t.TempDir(), accounts)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	o.NoLog, o.NoSigs = true, true
	return natsserver.Start(t, func(options *server.Options) { *options = *o }).ClientURL()
}

func TestPermissionsRefuseBadNames(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	for _, args := range [][]string{{"a.b"}, {"a", "--stages=b,c>"}, {"a", "--inbox-prefix=x.>"}, {"fizzbuzz", "--inbox-prefix=x.>"}} {
		if r := c.run(append([]string{"nats-permissions"}, args...)...); r.code != app.ExitUsage || r.stdout != "" {
			t.Errorf("%v: exit %d, %s", args, r.code, r.stdout)
		}
	}
}
