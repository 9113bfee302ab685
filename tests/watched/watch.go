package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// open is what is said when all dashboards are open.
const open = "open\n"

// askEvery is how often somebody clicks on something in a dashboard; one where
// nobody does only listens.
const askEvery = 30 * time.Second

// watch has so many dashboards open, and a scraper, until standard input ends.
func watch(ctx context.Context, url string, dashboards int, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * dashboards}}
	var all errgroup.Group
	opened := make(chan struct{}, dashboards)
	for k := range dashboards {
		all.Go(func() error { return (&dashboard{client, url, opened}).live(ctx, k) })
	}
	all.Go(func() error {
		return every(ctx, time.Second, func(int) error { return get(ctx, client, url+"metrics") })
	})
	all.Go(func() error {
		for range dashboards {
			select {
			case <-opened:
			case <-ctx.Done():
				return nil
			}
		}
		_, err := io.WriteString(out, open)
		return err
	})
	err := all.Wait()
	client.CloseIdleConnections()
	return err
}

// dashboard asks for what the page asks for.
type dashboard struct {
	client *http.Client
	url    string
	opened chan<- struct{}
}

func (d *dashboard) live(ctx context.Context, number int) error {
	for _, path := range []string{"", "assets/app/main.js", "assets/style.css", "api/v1/mode", "api/v1/graph", "api/v1/history?seconds=900", "api/v1/events"} {
		if err := get(ctx, d.client, d.url+path); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"api/v1/live", nil)
	if err != nil {
		return err
	}
	answer, err := d.client.Do(r)
	if err != nil {
		return unless(ctx, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the live stream: %s", answer.Status)
	}
	var both errgroup.Group
	both.Go(func() error {
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if lines.Text() != "event: sample" {
				continue
			}
			if err := get(ctx, d.client, d.url+"graph.dot"); err != nil { // the graph is drawn anew
				return err
			}
		}
		return unless(ctx, errors.Join(lines.Err(), io.ErrUnexpectedEOF))
	})
	d.opened <- struct{}{}
	clicked := []string{"api/v1/stages/double/events", "api/v1/letters", "api/v1/stages/sum/state"}
	both.Go(func() error {
		return every(ctx, askEvery, func(n int) error { return get(ctx, d.client, d.url+clicked[(n+number)%len(clicked)]) })
	})
	return both.Wait()
}

// every does something until ctx is done.
func every(ctx context.Context, interval time.Duration, do func(n int) error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if err := do(n); err != nil {
			return err
		}
	}
}

func get(ctx context.Context, client *http.Client, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return unless(ctx, err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return unless(ctx, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return nil
}

// unless is no error at the end.
func unless(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
