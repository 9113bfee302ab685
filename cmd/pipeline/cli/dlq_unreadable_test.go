package cli

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/showcmd"
	"penstock/internal/testing/natsserver"
)

// jetStreamOf is that of a server, until the test ends.
func jetStreamOf(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// publish puts messages into streams of a server, as anyone with the right does.
func publish(t *testing.T, host string, subjects ...string) {
	t.Helper()
	js := jetStreamOf(t, "nats://"+host)
	for i, subject := range subjects {
		data := []byte(hostile)
		if i == 0 {
			data = nil
		}
		if _, err := js.Publish(t.Context(), subject, data); err != nil {
			t.Fatal(err)
		}
	}
}

// Garbage among the dead letters hides none of them, wherever they are looked
// at, and can be discarded.
func TestGarbageAmongTheDeadLetters(t *testing.T) {
	t.Parallel()
	host := natsserver.Start(t).Addr().String()
	c := newCommand(t)
	c.env[showcmd.Variable] = "127.0.0.1:0"
	at := func(args ...string) []string { return append(args, "--nats", host) }
	r := c.start(at("run", "--rate=5ms", "--beats=100000")...)
	url := r.url()
	r.stderr.Await(t, "id="+letter41)
	publish(t, host, "fizzbuzz.worker.0.dead.generator.0.7", "fizzbuzz.worker.0.dead.what", "fizzbuzz.nobody.0.dead.a.0.1")
	const unreadable = "unreadable:3"
	for _, state := range []string{"running", "stopped"} {
		list := c.run(at("dlq", "list")...)
		mustBe(t, list, app.ExitOK, letter33, "5 dead letters")
		mustBe(t, list, app.ExitOK, unreadable, "")
		mustBeHarmless(t, "the table", list.stdout)
		mustBe(t, c.run(at("dlq", "list", "--reason=unreadable")...), app.ExitOK, "unreadable:4", "3 dead letters")
		mustBe(t, c.run(at("dlq", "list", "--reason=panic")...), app.ExitOK, letter33, "2 dead letters")
		mustList(t, c.run(at("dlq", "list", "--json")...))
		show := c.run(at("dlq", "show", "unreadable:4")...)
		mustBe(t, show, app.ExitOK, "can only be discarded", "")
		mustBeHarmless(t, "show", show.stdout)
		mustBe(t, c.run(at("dlq", "export")...), app.ExitOK, letter33, "left out 3 messages")
		mustBe(t, c.run(at("dlq", "replay", "--all", "--dry-run")...), app.ExitOK, letter33, "would request 2 replays; 3 cannot be read")
		mustBe(t, c.run(at("dlq", "replay", unreadable)...), app.ExitFailed, "requested 0 replays", "discarded")
		if state == "running" {
			code, body := ask(t, url+"api/v1/letters", nil)
			for _, want := range []string{letter33, letter41, unreadable, `"unreadable":true`} {
				if code != http.StatusOK || !strings.Contains(body, want) {
					t.Errorf("the API: %d, %s", code, body)
				}
			}
			if code, body := ask(t, url+"api/v1/letters/"+unreadable, nil); code != http.StatusOK {
				t.Errorf("one: %d, %s", code, body)
			}
			r.interrupt()
		}
	}
	mustBe(t, c.run(at("dlq", "replay", "--all")...), app.ExitFailed, "requested 2 replays, 3 refused", "can only be shown and discarded")
	mustBe(t, c.run(at("dlq", "discard", unreadable, "--yes")...), app.ExitOK, "discarded 1 dead letter", "")
	mustBe(t, c.run(at("dlq", "discard", "--reason=unreadable", "--yes")...), app.ExitOK, "discarded 2 dead letters", "")
	mustBe(t, c.run(at("dlq", "list")...), app.ExitOK, letter33, "2 dead letters")
}

// The page discards them too, and a start is not in the way of that.
func TestTheAPIDiscardsGarbage(t *testing.T) {
	t.Parallel()
	host := natsserver.Start(t).Addr().String()
	c := newCommand(t)
	run := []string{"run", "--rate=5ms", "--beats=100000", "--no-faults", "--nats", host}
	first := c.start(run...)
	first.stderr.Await(t, "number=1\n")
	publish(t, host, "fizzbuzz.worker.0.dead.generator.0.7", "fizzbuzz.worker.0.dead.what")
	first.interrupt()
	c.env[showcmd.Variable] = "127.0.0.1:0"
	r := c.start(run...)
	url := r.url()
	r.stderr.Await(t, "number=")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"api/v1/letters/discard",
		strings.NewReader(fmt.Sprintf(`{"ids": [%q, %q]}`, "unreadable:1", "unreadable:2")))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%d", answer.StatusCode)
	}
	if code, body := ask(t, url+"api/v1/letters", nil); code != http.StatusOK || !strings.Contains(body, `"count":0`) {
		t.Errorf("%d, %s", code, body)
	}
	r.interrupt()
}
