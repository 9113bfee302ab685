package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/broker"
	"penstock/engine/doctor"
	"penstock/engine/rights"
	"penstock/internal/testing/natsserver"
)

// permissions are what a server's configuration grants with these rights.
func permissions(rights []broker.Right) *server.Permissions {
	p := &server.Permissions{Publish: &server.SubjectPermission{}, Subscribe: &server.SubjectPermission{}}
	for _, r := range rights {
		if r.Action == broker.Subscribe {
			p.Subscribe.Allow = append(p.Subscribe.Allow, r.Subject)
		} else {
			p.Publish.Allow = append(p.Publish.Allow, r.Subject)
		}
	}
	return p
}

// authorized is a server with two users: one with the rights, and admin with all.
func authorized(t *testing.T, rights []broker.Right) *natsserver.Server {
	t.Helper()
	return authorizedIn(t, t.TempDir(), rights)
}

func authorizedIn(t *testing.T, dir string, rights []broker.Right) *natsserver.Server {
	t.Helper()
	return natsserver.Start(t, authorizedOptions(dir, rights))
}

func authorizedOptions(dir string, rights []broker.Right) func(*server.Options) {
	return func(o *server.Options) {
		o.StoreDir = dir
		o.Users = []*server.User{
			{Username: "limited", Password: "l", Permissions: permissions(rights)},
			{Username: "admin", Password: "a"},
		}
	}
}

// rejecting is a pipeline with all that touches the server: two inputs, letters, a state, and End.
func rejecting(n uint64) *engine.Pipeline {
	p := engine.New("orders")
	numbers := engine.Source(p, "numbers", count(n, 3))
	sums := engine.Stage(p, "sums", engine.On(numbers,
		func(_ context.Context, sum *uint64, m engine.Message[uint64], emit engine.Emit[uint64]) error {
			if m.Value == 1 {
				return engine.Reject(errors.New("not this one"))
			}
			*sum += m.Value
			emit(*sum)
			return nil
		}))
	engine.Sink(p, "sink", sums, func(context.Context, *struct{}, engine.Message[uint64]) error { return nil })
	return p
}

func asLimited(t *testing.T, s *natsserver.Server, dir string) engine.Config {
	config := testConfig(t, dir)
	config.NATS = engine.NATS{URL: s.ClientURL(), User: "limited", Password: "l"}
	return config
}

// With the rights that are documented a pipeline runs, its letters are replayed, and its directory is looked at.
func TestRightsAreEnough(t *testing.T) {
	t.Parallel()
	for name, rights := range map[string][]broker.Right{
		"of known stages": rejecting(1).Rights(""),
		"of any stage":    rights.Of(rights.Config{Pipeline: "orders"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := authorized(t, rights)
			config := asLimited(t, s, t.TempDir())
			refusals := &logged{}
			config.Logger = refusals.logger()
			p := rejecting(100)
			if err := p.Run(t.Context(), config); err != nil || !p.Status().Completed {
				t.Fatalf("error %v, %+v", err, p.Status())
			}
			askForReplay(t, config)
			if err := rejecting(100).Run(t.Context(), config); err != nil {
				t.Fatal(err, refusals.String())
			}
			config.DiscardLetters = true
			if err := rejecting(100).Run(t.Context(), config); err != nil { // starts anew
				t.Fatal(err)
			}
			x, err := doctor.Examine(t.Context(), config.ToInspect())
			if err != nil || !x.Sound {
				t.Errorf("examined: %v, %+v", err, x)
			}
			if text := refusals.String(); strings.Contains(text, "ermission") || strings.Contains(text, "refuses") {
				t.Errorf("the server refused something:\n%s", text)
			}
		})
	}
}

// askForReplay asks for the replay of every letter of a pipeline that does not run.
func askForReplay(t *testing.T, config engine.Config) {
	t.Helper()
	withLettersOf(t, config, func(queue *dlq.Queue) {
		letters := 0
		err := queue.Select(t.Context(), dlq.Filter{}, func(l dlq.Letter) error {
			letters++
			return queue.Replay(t.Context(), l, dlq.ReplayOptions{})
		})
		if err != nil || letters != 1 {
			t.Fatalf("%d letters, %v", letters, err)
		}
	})
}

// With any one right less the start is refused, at once, by the name of the right.
func TestEachMissingRightIsNamed(t *testing.T) {
	t.Parallel()
	for kind, rights := range map[string][]broker.Right{
		"known": rejecting(1).Rights(""),
		"any":   rights.Of(rights.Config{Pipeline: "orders"}),
	} {
		for i, missing := range rights {
			t.Run(kind+"/"+missing.String(), func(t *testing.T) {
				t.Parallel()
				var less []broker.Right
				less = append(append(less, rights[:i]...), rights[i+1:]...)
				s := authorized(t, less)
				err := rejecting(10).Run(t.Context(), asLimited(t, s, t.TempDir()))
				if !errors.Is(err, broker.ErrPermission) {
					t.Fatalf("error %v", err)
				}
				named := &broker.MissingError{}
				if !errors.As(err, &named) || !strings.Contains(err.Error(), "user limited may not "+string(missing.Action)+" "+named.Rights[0].Subject) {
					t.Fatalf("error %v", err)
				}
				before, _, _ := strings.Cut(missing.Subject, ".*") // the streams that there are take the place of the wildcard
				for _, r := range named.Rights {
					if kind == "known" && r.Subject != missing.Subject || !strings.HasPrefix(r.Subject, before) || r.Action != missing.Action {
						t.Errorf("named is %s", r)
					}
				}
			})
		}
	}
}

// Asking for the rights changes nothing on the server.
func TestAskingForRightsChangesNothing(t *testing.T) {
	t.Parallel()
	rights := rejecting(1).Rights("")
	s := authorized(t, rights)
	config := asLimited(t, s, t.TempDir())
	p := rejecting(100)
	if err := p.Run(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	before := streamsOf(t, s)
	b, err := broker.Open(t.Context(), broker.Config{URL: s.ClientURL(), User: "limited", Password: "l", Needs: rights})
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	if after := streamsOf(t, s); after != before || before == "" {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// Rights that are taken away while the pipeline runs, and given back, are a wait with a name.
func TestRightsTakenAwayAndGivenBack(t *testing.T) {
	t.Parallel()
	all := rights.Of(rights.Config{Pipeline: "orders", Stages: []string{"numbers", "sink"}})
	for _, taken := range []string{"orders.>", "_INBOX.>", "$JS.API.CONSUMER.MSG.NEXT.orders+numbers.*"} {
		t.Run(taken, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := authorizedIn(t, dir, all)
			reload := func(rights []broker.Right) {
				o := natsserver.Options(dir)
				authorizedOptions(dir, rights)(o)
				o.Port = s.Addr().(*net.TCPAddr).Port
				if err := s.ReloadOptions(o); err != nil {
					t.Error(err)
				}
			}
			const n = 60_000
			p, gate := gated(n, func(next uint64) {
				if next%100 == 0 {
					time.Sleep(time.Millisecond) // so that there are more frames than one request brings
				}
			})
			config := asLimited(t, s, t.TempDir())
			ended := make(chan error, 1)
			go func() { ended <- p.Run(t.Context(), config) }()
			<-gate.going
			var less []broker.Right
			for _, r := range all {
				if r.Subject != taken {
					less = append(less, r)
				}
			}
			reload(less)
			close(gate.release)
			for waits := ""; !strings.Contains(waits, "permission") || !strings.Contains(waits, "limited"); {
				select {
				case err := <-ended:
					t.Fatalf("ended: %v", err)
				case <-time.After(20 * time.Millisecond):
					waits = fmt.Sprintf("%+v", p.Status())
				}
			}
			reload(all)
			if err := <-ended; err != nil || p.Status().Stages[1].In != n {
				t.Fatalf("error %v, %d of %d messages", err, p.Status().Stages[1].In, n)
			}
		})
	}
}

// A stream of another client on the pipeline's subjects is named, with what it takes.
func TestForeignStreamOnTheSubjectsIsNamed(t *testing.T) {
	t.Parallel()
	s := authorized(t, rejecting(1).Rights(""))
	b, err := broker.Open(t.Context(), broker.Config{URL: s.ClientURL(), User: "admin", Password: "a"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	_, err = b.JetStream().CreateStream(t.Context(), jetstream.StreamConfig{Name: "archive", Subjects: []string{"orders.>"}})
	if err != nil {
		t.Fatal(err)
	}
	err = rejecting(1).Run(t.Context(), asLimited(t, s, t.TempDir()))
	if err == nil || !strings.Contains(err.Error(), "orders.> of the stream archive") || !strings.Contains(err.Error(), "another name") {
		t.Errorf("error %v", err)
	}
}

func streamsOf(t *testing.T, s *natsserver.Server) string {
	t.Helper()
	b, err := broker.Open(t.Context(), broker.Config{URL: s.ClientURL(), User: "admin", Password: "a"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var text strings.Builder
	list := b.JetStream().ListStreams(t.Context())
	for info := range list.Info() {
		fmt.Fprintf(&text, "%s %+v %+v\n", info.Config.Name, info.Config, info.State)
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
