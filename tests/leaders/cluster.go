package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"penstock/internal/testing/child"
	"penstock/internal/testing/natsserver"
)

// node is one server, in a process of its own, so that it can be killed.
type node struct {
	Name   string
	Dir    string
	Port   int
	Routes []int // of all, its own first
}

// serve is the process of a node. It ends with the one that started it.
func (n node) serve() error {
	options := natsserver.Options(n.Dir)
	options.Port = n.Port
	natsserver.Member(options, n.Name, n.Routes)
	if _, err := natsserver.Run(options); err != nil {
		return err
	}
	_, _ = os.Stdin.Read(make([]byte, 1))
	return nil
}

type cluster struct {
	nodes     []node
	processes []*child.Child
	conn      *nats.Conn
	js        jetstream.JetStream
}

func startCluster(dir string) (*cluster, error) {
	const size = 3
	c := &cluster{processes: make([]*child.Child, size)}
	ports, err := freePorts(2 * size)
	if err != nil {
		return nil, err
	}
	for i := range size {
		n := node{Name: fmt.Sprint("node", i), Dir: filepath.Join(dir, fmt.Sprint("node", i)), Port: ports[size+i]}
		for k := range size {
			n.Routes = append(n.Routes, ports[(i+k)%size])
		}
		c.nodes = append(c.nodes, n)
		if err := c.start(i); err != nil {
			c.stop()
			return nil, err
		}
	}
	c.conn, err = nats.Connect(c.urls(), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond), nats.RetryOnFailedConnect(true))
	if err == nil {
		c.js, err = jetstream.New(c.conn)
	}
	if err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// freePorts are free at the moment, which is enough on a machine where this runs alone.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func (c *cluster) start(i int) error {
	text, err := json.Marshal(c.nodes[i])
	if err != nil {
		return err
	}
	cmd, err := child.Self("-node", string(text))
	if err != nil {
		return err
	}
	cmd.Stderr = os.Stderr
	c.processes[i], err = child.Start(cmd, nil)
	return err
}

func (c *cluster) urls() string {
	var list []string
	for _, n := range c.nodes {
		list = append(list, fmt.Sprint("nats://127.0.0.1:", n.Port))
	}
	return strings.Join(list, ",")
}

// leader is which node leads the stream.
func (c *cluster) leader(stream string) (int, error) {
	for try := 0; ; try++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		s, err := c.js.Stream(ctx, stream)
		cancel()
		if err == nil && s.CachedInfo().Cluster != nil {
			for i, n := range c.nodes {
				if n.Name == s.CachedInfo().Cluster.Leader {
					return i, nil
				}
			}
		}
		if try == 60 {
			return 0, fmt.Errorf("who leads %s is not known: %w", stream, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// gather makes a server the leader of all streams.
func (c *cluster) gather(k int) error {
	for _, stream := range streams {
		for try := 0; ; try++ {
			leader, err := c.leader(stream)
			if err != nil {
				return err
			}
			if leader == k {
				break
			}
			if try == 20 {
				return fmt.Errorf("%s does not become the leader of %s", c.nodes[k].Name, stream)
			}
			c.stepDown(stream, c.nodes[k].Name)
			time.Sleep(200 * time.Millisecond)
		}
	}
	return nil
}

// stepDown asks the leader of a stream to step down, for another one or for anyone ("").
func (c *cluster) stepDown(stream, to string) {
	var request []byte
	if to != "" {
		request = fmt.Appendf(nil, `{"placement":{"preferred":%q}}`, to)
	}
	_, _ = c.conn.Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, request, time.Second)
}

// fell kills a server that leads all streams, and has it back after a while, or makes it step down.
func (c *cluster) fell(k int, o options) (string, error) {
	if o.stepDown {
		for _, stream := range streams {
			c.stepDown(stream, "")
		}
		return fmt.Sprintf("node%d stepped down", k), nil
	}
	c.kill(k)
	time.Sleep(o.down)
	return fmt.Sprintf("node%d was killed", k), c.start(k)
}

func (c *cluster) kill(i int) {
	c.processes[i].Kill()
	<-c.processes[i].Done()
}

func (c *cluster) stop() {
	if c.conn != nil {
		c.conn.Close()
	}
	for i, process := range c.processes {
		if process != nil {
			c.kill(i)
		}
	}
}
