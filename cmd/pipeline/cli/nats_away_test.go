package cli

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/internal/testing/natsserver"
	"penstock/tests/loopback"
)

// ranOnServer is the data directory of a run that is complete, whose channels are on a server of their own.
func (c command) ranOnServer() (dir string) {
	c.t.Helper()
	dir = filepath.Join(c.t.TempDir(), "data")
	if r := c.run("run", "--rate=1ms", "--beats=20", "--dir", dir, "--nats", natsserver.Start(c.t).ClientURL()); r.code != app.ExitOK {
		c.t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	return dir
}

// A server that does not answer ends every verb that looks, with one exit code and an error that says what to do.
func TestAServerThatDoesNotAnswerEndsEveryLook(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	dir := c.ranOnServer()
	mute, _ := natsserver.Mute(t)
	verbs := append([][]string{{"repair"}, {"repair", "--pipeline=unstablecounter"}, {"dlq", "watch"}, {"dlq", "discard", "--all", "--yes"}}, looks...)
	for name, address := range map[string]string{
		"says nothing": mute, "refuses": net.JoinHostPort("127.0.0.1", strconv.Itoa(loopback.ForTest(t))),
	} {
		for _, verb := range verbs {
			r := c.run(append(verb, "--dir", dir, "--nats", "nats://user:secret@"+address, "--nats-timeout=10ms")...)
			if r.code != app.ExitBlind {
				t.Errorf("%s, %v: exit %d", name, verb, r.code)
			}
			mustContain(t, verb[0], r.err, "connect to nats://…@"+address, "does not answer within 10ms", "with --nats,", "--nats-timeout")
			if strings.Contains(r.err+r.stdout, "secret") {
				t.Errorf("%v: a secret is shown:\n%s", verb, r.err)
			}
		}
	}
	r := c.run("dlq", "list", "--nats", mute, "--nats-timeout=10ms") // there is no directory: the server alone is asked
	if r.code != app.ExitBlind || !strings.Contains(r.err, "does not answer") {
		t.Errorf("without a directory: exit %d\n%s", r.code, r.err)
	}
}

// A verb that waits for the server says so, and for how long at most.
func TestALookTellsThatItWaitsForTheServer(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	dir := c.ranOnServer()
	for _, verb := range [][]string{{"state", "worker"}, {"events"}, {"doctor"}, {"repair"}, {"dlq", "list"}} {
		t.Run(verb[0], func(t *testing.T) {
			mute, _ := natsserver.Mute(t)
			r := c.start(append(verb, "--dir", dir, "--nats", "nats://user:secret@"+mute, "--nats-timeout=1h")...)
			r.stderr.Await(t, `msg="waiting for nats://…@`+mute+`" at_most=1h0m0s`)
			r.signals <- os.Interrupt
			end := r.wait()
			if end.code == app.ExitOK || strings.Count(end.err, "waiting for") != 1 || strings.Contains(end.err, "secret") {
				t.Errorf("exit %d\n%s", end.code, end.err)
			}
		})
	}
}
