package broker

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"penstock/internal/testing/natsserver"
	"penstock/tests/loopback"
)

func exampleDir() string {
	dir, err := os.MkdirTemp("", "penstock-example")
	if err != nil {
		panic(err)
	}
	return dir
}

func withUser(o *server.Options) { o.Username, o.Password = "pipe", "s3cret" }

func TestExternalUserAndPassword(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t, withUser)
	b := open(t, Config{URL: s.ClientURL(), User: "pipe", Password: "s3cret"})
	if b.Embedded() {
		t.Error("claims to be embedded")
	}
	roundTrip(t, b)
	b = open(t, Config{URL: strings.Replace(s.ClientURL(), "nats://", "nats://pipe:s3cret@", 1)})
	roundTrip(t, b)
}

func TestExternalToken(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t, func(o *server.Options) { o.Authorization = "t0ken" })
	roundTrip(t, open(t, Config{URL: s.ClientURL(), Token: "t0ken"}))
}

// The same password will not do later either.
func TestWrongLoginIsRefused(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t, withUser)
	url := s.ClientURL()
	for _, cfg := range []Config{
		{URL: url, User: "pipe", Password: "wr0ng"},
		{URL: strings.Replace(url, "nats://", "nats://pipe:wr0ng@", 1)},
		{URL: url, Token: "wr0ng"},
		{URL: url},
	} {
		j := newJournal()
		cfg.Logger = j.logger()
		_, err := Open(testContext(t), cfg)
		wantError(t, err, ErrConfig, "Authorization Violation", s.Addr().String(), "login")
		if strings.Count(err.Error(), "Authorization Violation") != 1 || !errors.As(err, new(*LoginError)) {
			t.Errorf("the server's words are not said once: %v", err)
		}
		for _, text := range []string{j.String(), err.Error()} {
			if strings.Contains(text, "wr0ng") {
				t.Errorf("the password is shown: %s", text)
			}
		}
	}
}

// One server of a list may not know the user, as long as another one does.
func TestOneServerTakesTheLogin(t *testing.T) {
	t.Parallel()
	stranger := natsserver.Start(t, func(o *server.Options) { o.Username, o.Password = "other", "other" })
	s := natsserver.Start(t, withUser)
	for range 5 { // the order is random
		open(t, Config{URL: stranger.ClientURL() + "," + s.ClientURL(), User: "pipe", Password: "s3cret"}).Close()
	}
}

// A login that a server took may be taken again: who was connected waits.
func TestLoginLostLaterIsWaitedFor(t *testing.T) {
	t.Parallel()
	dir, port := t.TempDir(), loopback.ForTest(t)
	at := func(password string) *natsserver.Server {
		return natsserver.Start(t, func(o *server.Options) {
			o.StoreDir, o.Port, o.Username, o.Password = dir, port, "pipe", password
		})
	}
	s := at("s3cret")
	j := newJournal()
	b := open(t, Config{URL: s.ClientURL(), User: "pipe", Password: "s3cret", Logger: j.logger()})
	s.Stop()
	s = at("changed")
	j.await(t, "Authorization Violation")
	if why := b.Failure(); !strings.Contains(why, "the server rejects the login of user pipe: ") || !strings.Contains(why, "Authorization Violation") {
		t.Errorf("the connection is away because: %q", why)
	}
	s.Stop()
	at("s3cret")
	if err := b.WaitConnected(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if why := b.Failure(); why != "" {
		t.Errorf("there is a connection, and its failure is %q", why)
	}
	roundTrip(t, b)
}

func TestWaitsForTheServer(t *testing.T) {
	t.Parallel()
	j := newJournal()
	port := loopback.ForTest(t)
	url := "nats://" + net.JoinHostPort("127.0.0.1", itoa(port))
	opened := make(chan *Broker, 1)
	go func() {
		b, err := Open(testContext(t), Config{URL: url, Logger: j.logger()})
		if err != nil {
			t.Error(err)
		}
		opened <- b
	}()
	j.await(t, "waiting for "+url)
	natsserver.Start(t, func(o *server.Options) { o.Port = port })
	b := <-opened
	if b == nil {
		return
	}
	defer b.Close()
	roundTrip(t, b)
	if b.Reconnects() != 0 {
		t.Errorf("%d reconnects before the first outage", b.Reconnects())
	}
}

func TestMuteServerDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	mute, accepted := natsserver.Mute(t)
	ctx, cancel := context.WithCancel(testContext(t))
	done := make(chan error, 1)
	go func() {
		_, err := Open(ctx, Config{URL: "nats://" + mute})
		done <- err
	}()
	<-accepted
	cancel()
	select {
	case err := <-done:
		wantError(t, err, context.Canceled)
	case <-time.After(dialTimeout / 2):
		t.Error("Open waits for the mute server instead of its context")
		<-done
	}
}

func TestNoJetStream(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t, func(o *server.Options) { o.JetStream = false })
	_, err := Open(testContext(t), Config{URL: s.ClientURL()})
	wantError(t, err, ErrNoJetStream, "-js")
}

func TestOutage(t *testing.T) {
	t.Parallel()
	j := newJournal()
	dir, port := t.TempDir(), loopback.ForTest(t)
	s := natsserver.Start(t, func(o *server.Options) { o.StoreDir, o.Port = dir, port })
	b := open(t, Config{URL: s.ClientURL(), Logger: j.logger()})
	restored := make(chan struct{}, 1)
	defer b.OnReconnect(func() { restored <- struct{}{} })()
	b.OnReconnect(func() { t.Error("a removed hook was called") })()
	if _, err := b.Conn().Subscribe("mute", func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	while, cancelWhile := b.WhileConnected(testContext(t))
	defer cancelWhile()
	answers := make(chan error, 2)
	b.Ask("mute", nil, nil, time.Hour, func(_ *nats.Msg, err error) { answers <- err })

	s.Stop()
	wantError(t, <-answers, ErrDisconnected)
	<-while.Done()
	wantError(t, context.Cause(while), ErrDisconnected)
	j.await(t, "connection to NATS lost")
	never, cancelNever := b.WhileConnected(testContext(t))
	defer cancelNever()
	wantError(t, context.Cause(never), ErrDisconnected)
	if b.Connected() {
		t.Error("claims to be connected")
	}
	b.Ask("mute", nil, nil, time.Hour, func(_ *nats.Msg, err error) { answers <- err })
	wantError(t, <-answers, ErrDisconnected)
	_, err := b.JetStream().Stream(testContext(t), "any")
	if wantError(t, err, ErrDisconnected, "there is no connection"); strings.Contains(err.Error(), "buffer") {
		t.Errorf("a request: %v", err)
	}
	short, cancel := context.WithTimeout(testContext(t), 50*time.Millisecond)
	defer cancel()
	wantError(t, b.WaitConnected(short), context.DeadlineExceeded)
	j.await(t, "waiting for nats://")

	natsserver.Start(t, func(o *server.Options) { o.StoreDir, o.Port = dir, port })
	if err := b.WaitConnected(testContext(t)); err != nil {
		t.Fatal(err)
	}
	<-restored
	j.await(t, "connection to NATS restored")
	if b.Reconnects() != 1 {
		t.Errorf("%d reconnects, want 1", b.Reconnects())
	}
	roundTrip(t, b)
	b.Close()
	wantError(t, b.WaitConnected(testContext(t)), ErrClosed)
}

func TestCloseWhileTheServerIsAway(t *testing.T) {
	t.Parallel()
	s := natsserver.Start(t)
	j := newJournal()
	b := open(t, Config{URL: s.ClientURL(), Logger: j.logger()})
	s.Stop()
	j.await(t, "connection to NATS lost")
	b.Close()
}

func TestRetryDelay(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int]time.Duration{
		0: firstRetry, 1: firstRetry, 2: 2 * firstRetry, 5: 16 * firstRetry, 7: 64 * firstRetry, 8: lastRetry, 1e6: lastRetry,
	} {
		for range 100 {
			if d := retryDelay(attempt); d < want*8/10 || d > want*12/10 {
				t.Fatalf("attempt %d: %v, want about %v", attempt, d, want)
			}
		}
	}
}

// Close ends the connection under nats.go, which may tell of it before it knows that it is to end.
func TestAnEndIsNoOutage(t *testing.T) {
	t.Parallel()
	for name, closes := range map[string]bool{"an outage": false, "an end": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJournal()
			l := newConnection(j.logger(), "a server")
			if closes {
				l.close()
			}
			l.onLost(nil, net.ErrClosed)
			l.onFailed(net.ErrClosed)
			if text := j.String(); (text == "") != closes {
				t.Errorf("the log is:\n%s", text)
			}
		})
	}
}
