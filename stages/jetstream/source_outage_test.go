package jetstream_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"penstock/engine"
	"penstock/engine/observe"
	"penstock/internal/testing/natsserver"
	"penstock/stages/jetstream"
)

// isAway says that a stage waits for the other server.
func isAway(stage string) func(observe.Status) bool {
	return func(s observe.Status) bool { return of(s, stage).Unavailable > 0 }
}

// While the server is away the source waits, before its first message and later, and goes on when it is back: without
// a restart, an attempt or a message twice.
func TestTheServerIsAway(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	o.stream()
	o.put(0, 10)
	nats := o.nats()
	o.Stop()
	p, got := reads(jetstream.SourceConfig{NATS: nats})
	r := start(t, p, engine.Config{Dir: t.TempDir()})
	r.await("away", isAway("source"))
	o.Again()
	got.await(t, 10)
	before := of(p.Status(), "source").Unavailable
	o.Stop()
	r.await("away again", func(s observe.Status) bool { return of(s, "source").Unavailable > before })
	o.Again()
	o.put(10, 20)
	got.await(t, 20)
	status := r.must(true)
	if n := burnt(t, status, "source"); n != 0 {
		t.Errorf("%d attempts and restarts", n)
	}
	if list := got.texts(); !slices.Equal(list, texts(0, 20)) {
		t.Errorf("%v", list)
	}
}

// A consumer that another client deletes is made again.
func TestTheConsumerIsDeleted(t *testing.T) {
	t.Parallel()
	o := startOther(t)
	s := o.stream()
	o.put(0, 10)
	p, got := reads(jetstream.SourceConfig{NATS: o.nats()})
	r := start(t, p, engine.Config{Dir: t.TempDir()})
	for n := 10; n < 40; n += 10 {
		got.await(t, n)
		for name := range s.ConsumerNames(t.Context()).Name() {
			if !strings.HasPrefix(name, "penstock-reads-source-") {
				t.Errorf("a consumer has the name %s", name)
			}
			must(t, s.DeleteConsumer(t.Context(), name))
		}
		o.put(n, n+10)
	}
	got.await(t, 40)
	if n := burnt(t, r.must(true), "source"); n != 0 {
		t.Errorf("%d attempts and restarts", n)
	}
	if list := got.texts(); !slices.Equal(list, texts(0, 40)) {
		t.Errorf("%v", list)
	}
	for name := range s.ConsumerNames(t.Context()).Name() {
		t.Errorf("the consumer %s is left behind", name)
	}
}

// The leader of the stream changes, and the server that leads it dies: the source goes on.
func TestTheLeaderChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a cluster")
	}
	t.Parallel()
	servers := natsserver.Cluster(t)
	o := &other{Server: servers[0], t: t, js: servers[0].JetStream()}
	o.stream(func(c *natsjs.StreamConfig) { c.Replicas = 3 })
	o.put(0, 500)
	p, got := reads(jetstream.SourceConfig{NATS: engine.NATS{URL: natsserver.URLs(servers)}, Prefetch: 20})
	r := start(t, p, engine.Config{Dir: t.TempDir()})
	got.await(t, 500)
	for n := 500; n < 1500; n += 500 {
		o.stepDown()
		o.put(n, n+500)
		got.await(t, n+500)
	}
	servers[1].Shutdown()
	o.put(1500, 2000)
	got.await(t, 2000)
	if n := burnt(t, r.must(true), "source"); n != 0 {
		t.Errorf("%d attempts and restarts", n)
	}
	if list := got.texts(); !slices.Equal(list, texts(0, 2000)) {
		t.Errorf("%d messages", len(list))
	}
}

// stepDown has the leader of S step down, and waits for the next one.
func (o *other) stepDown() {
	o.t.Helper()
	deadline := time.Now().Add(patience)
	for { // while there is no leader, nobody answers
		_, err := o.js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN.S", nil, time.Second)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			o.t.Fatal(err)
		}
	}
	for ; ; time.Sleep(10 * time.Millisecond) {
		s, err := o.js.Stream(o.t.Context(), "S")
		if err == nil && s.CachedInfo().Cluster.Leader != "" {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("no leader: %v", err)
		}
	}
}

// A user with the rights that the package names reads. Without one of them the error names it, and no password.
func TestRights(t *testing.T) {
	t.Parallel()
	const secret = "verysecret"
	rights := []string{
		"$JS.API.INFO", "$JS.API.STREAM.INFO.S", "$JS.API.CONSUMER.CREATE.S.*", "$JS.API.CONSUMER.MSG.NEXT.S.*", "$JS.API.CONSUMER.DELETE.S.*",
	}
	o := startOther(t, func(s *server.Options) {
		s.Users = []*server.User{{Username: "admin", Password: "admin"}}
		for k := range len(rights) {
			granted := slices.Delete(slices.Clone(rights), k, k+1)
			if k == len(rights)-1 {
				granted = rights
			}
			s.Users = append(s.Users, &server.User{Username: "user" + string(rune('0'+k)), Password: secret, Permissions: &server.Permissions{
				Publish:   &server.SubjectPermission{Allow: granted},
				Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
			}})
		}
		s.NoAuthUser = "admin"
	})
	o.stream()
	o.put(0, 10)
	for k, right := range rights {
		t.Run(right, func(t *testing.T) {
			t.Parallel()
			nats := o.nats()
			nats.User, nats.Password = "user"+string(rune('0'+k)), secret
			p, got := reads(jetstream.SourceConfig{NATS: nats, UpTo: jetstream.UpToLast()})
			r := start(t, p, engine.Config{Dir: t.TempDir()})
			if k == len(rights)-1 {
				r.must(false)
				if list := got.texts(); !slices.Equal(list, texts(0, 10)) {
					t.Errorf("%v", list)
				}
				return
			}
			err := r.refusedWith(nil)
			if !strings.Contains(err.Error(), right) || !strings.Contains(err.Error(), nats.User) {
				t.Errorf("it says: %v", err)
			}
			if strings.Contains(err.Error()+r.log.String(), secret) {
				t.Errorf("the password is shown: %v\n%s", err, r.log)
			}
		})
	}
}
