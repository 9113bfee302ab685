package natsserver

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/tests/loopback"
)

// Member makes the options of a server those of a member of a cluster: routes are the ports of all members, its own
// first.
func Member(o *server.Options, name string, routes []int) {
	o.ServerName = name
	o.Cluster = server.ClusterOpts{Name: "cluster", Host: "127.0.0.1", Port: routes[0]}
	for _, port := range routes {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprint("127.0.0.1:", port)})
	}
}

// Cluster starts three servers that know of each other, and returns when they keep streams of three replicas.
func Cluster(t testing.TB) []*Server {
	t.Helper()
	var ports [3]int // of routes, which they must know of each other before they start
	for i := range ports {
		ports[i] = loopback.ForTest(t)
	}
	var servers []*Server
	for i := range ports {
		servers = append(servers, Start(t, func(o *server.Options) {
			Member(o, fmt.Sprint("node", i), []int{ports[i], ports[(i+1)%3], ports[(i+2)%3]})
		}))
	}
	servers[0].awaitReplicas()
	return servers
}

// awaitReplicas returns when the cluster has a leader and three peers.
func (s *Server) awaitReplicas() {
	s.t.Helper()
	js := s.JetStream()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	var err error
	for ctx.Err() == nil {
		attempt, done := context.WithTimeout(ctx, time.Second)
		_, err = js.CreateStream(attempt, jetstream.StreamConfig{Name: "probe", Subjects: []string{"probe"}, Replicas: 3})
		done()
		if err == nil {
			if err := js.DeleteStream(ctx, "probe"); err != nil {
				s.t.Fatal(err)
			}
			return
		}
	}
	s.t.Fatalf("the cluster does not come up: %v", err)
}

// URLs are those of all servers of a cluster, as a client takes them.
func URLs(servers []*Server) string {
	list := make([]string, len(servers))
	for i, s := range servers {
		list[i] = s.ClientURL()
	}
	return strings.Join(list, ",")
}
