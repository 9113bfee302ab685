//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"penstock/tests/loopback"
)

func networkFaults() []fault {
	far := needs{server: true, proxy: true}
	return []fault{
		{"cut", "the connection to the server is cut, again and again", far, (*cycle).cut},
		{"slow", "the connection is slow, narrow, and comes in slices", far, (*cycle).slow},
		{"black-hole", "what is sent either way goes nowhere for a while", far, (*cycle).blackHole},
	}
}

// proxy stands between a victim and its server.
type proxy struct {
	*toxiproxy.Proxy
	release func()       // its port
	toxics  atomic.Int64 // added so far
}

func startProxy(upstream string) (*proxy, error) {
	zerolog.SetGlobalLevel(zerolog.Disabled) // its own logger has no other way
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	port, release, err := loopback.Reserve()
	if err != nil {
		return nil, err
	}
	p := &proxy{Proxy: toxiproxy.NewProxy(api, "server", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), upstream), release: release}
	if err := p.Start(); err != nil {
		release()
		return nil, fmt.Errorf("start the proxy: %w", err)
	}
	return p, nil
}

// again starts it after a stop. A process that is just being started by another cycle has the old listener open until
// its program is loaded.
func (p *proxy) again() error {
	for tries := 1; ; tries++ {
		err := p.Start()
		switch {
		case err == nil, errors.Is(err, toxiproxy.ErrProxyAlreadyStarted):
			return nil
		case !errors.Is(err, syscall.EADDRINUSE) || tries == 500:
			return fmt.Errorf("start the proxy again: %w", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (p *proxy) url() string { return "nats://" + p.Listen }

func (p *proxy) close() {
	p.Stop()
	p.release()
}

// poison adds toxics.
func (p *proxy) poison(toxics ...string) error {
	for _, t := range toxics {
		t = strings.Replace(t, "NAME", fmt.Sprint("toxic", p.toxics.Add(1)), 1)
		if _, err := p.Toxics.AddToxicJson(strings.NewReader(t)); err != nil {
			return fmt.Errorf("add %s: %w", t, err)
		}
	}
	return nil
}

// cure takes the toxics away. It is false when the proxy has come to a standstill: toxiproxy waits for a link that
// waits for it, when that is closed at the same time. What is left of it stays as it is.
func (p *proxy) cure() bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Toxics.ResetToxics(context.Background())
	}()
	timer := time.NewTimer(cureTime)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

const cureTime = 10 * time.Second

func (c *cycle) cut(during func() error) error {
	for k := range 3 {
		if err := c.moment(); err != nil {
			return err
		}
		c.proxy.Stop()
		if k == 2 {
			if err := c.stay(c.away / 2); err != nil {
				return err
			}
			if err := during(); err != nil {
				return c.reconnect(err)
			}
		}
		if err := c.reconnect(nil); err != nil {
			return err
		}
	}
	return nil
}

// reconnect opens the proxy again, on the same port.
func (c *cycle) reconnect(before error) error {
	if err := c.proxy.again(); err != nil {
		return err
	}
	c.lift()
	return before
}

func (c *cycle) slow(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	err := c.proxy.poison(
		fmt.Sprintf(`{"name":"NAME","type":"latency","stream":"upstream","attributes":{"latency":%d,"jitter":%d}}`, c.IntN(60), 1+c.IntN(60)),
		fmt.Sprintf(`{"name":"NAME","type":"bandwidth","stream":"downstream","attributes":{"rate":%d}}`, 20+c.IntN(300)),
		fmt.Sprintf(`{"name":"NAME","type":"slicer","stream":"upstream","attributes":{"average_size":%d,"size_variation":%d,"delay":100}}`, 20+c.IntN(200), 10),
	)
	if err != nil {
		return err
	}
	return c.whilePoisoned(during)
}

// whilePoisoned lets it be for a while, and cures it.
func (c *cycle) whilePoisoned(during func() error) error {
	if err := c.stay(c.away); err != nil {
		return err
	}
	err := during()
	if !c.proxy.cure() {
		return cmp.Or(err, c.replaceProxy())
	}
	c.lift()
	return err
}

// replaceProxy has the next victim use another one.
func (c *cycle) replaceProxy() error {
	p, err := startProxy(c.proxy.Upstream)
	if err != nil {
		return err
	}
	c.proxy = p
	return c.killVictim()
}

func (c *cycle) blackHole(during func() error) error {
	if err := c.moment(); err != nil {
		return err
	}
	list := []string{
		`{"name":"NAME","type":"timeout","stream":"upstream","attributes":{"timeout":0}}`,
		`{"name":"NAME","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`,
	}
	switch c.IntN(3) {
	case 0:
		list = list[:1] // the server hears nothing, but answers what it heard before
	case 1:
		list = list[1:] // the server hears everything, but nobody hears its answers
	}
	if err := c.proxy.poison(list...); err != nil {
		return err
	}
	return c.whilePoisoned(during)
}
