package dashboard

import (
	"context"
	"net"
	"testing"
	"time"

	"penstock/telemetry"
)

// A stage is restarted, paused and resumed by clicks.
func TestStageActions(t *testing.T) {
	s := serve(t, endless(), telemetry.Config{})
	b := open(t, s.url, desktop)
	b.drawn()
	b.click(`[id="stage-worker"]`)
	b.until("its state", `/"done": [1-9]/.test(document.querySelector("#panel .state")?.textContent)`)
	restarts := func() uint64 { return s.stage("worker").Restarts }
	before := restarts()
	b.click("#panel button", "Restart")
	b.until("a question", `document.querySelector("#confirm").open`)
	b.click("#confirm button", "Cancel")
	b.until("no question", `!document.querySelector("#confirm").open`)
	b.click("#panel button", "Restart")
	b.click("#confirm button.danger")
	wait(t, "a restart", func() bool { return restarts() == before+1 })

	b.click("#panel button", "Pause")
	b.click("#confirm button.danger")
	b.until("it is stopped", `document.querySelector("#panel .pill").textContent === "stopped"`)
	b.until("it is grey", `document.querySelector("[id='stage-worker']").classList.contains("grey")`)
	if state := s.stage("worker").State; state != "stopped" {
		t.Errorf("the stage is %s", state)
	}
	taken := s.stage("worker").In
	b.click("#panel button:not([hidden])", "Resume")
	b.until("it runs", `document.querySelector("#panel .pill").textContent === "running"`)
	wait(t, "it takes messages again", func() bool { return s.stage("worker").In > taken })
}

// Drain and stop ends the run in order, and the page says how it ended.
func TestDrain(t *testing.T) {
	s := serve(t, endless(), telemetry.Config{})
	b := open(t, s.url, desktop)
	b.drawn()
	b.click("#menu > summary")
	b.click("#drain")
	b.click("#confirm button.danger")
	select {
	case <-s.ran:
	case <-time.After(late):
		t.Fatal("the run does not end")
	}
	b.until("it says so", `document.querySelector("#state").textContent === "stopped"`)
}

// A server that is gone is seen, and the page comes back with it by itself.
func TestLostServer(t *testing.T) {
	p := newOrders()
	s := serve(t, p.Pipeline, telemetry.Config{})
	front := newFront(t, s.url)
	b := open(t, front.url(), desktop)
	b.drawn()
	b.excuse()
	front.cut()
	b.until("it is said", `document.querySelector("#state").textContent === "no connection" && !document.querySelector("#notice").hidden`)
	front.mend()
	b.until("it is back", `document.querySelector("#state").textContent === "running" && document.querySelector("#notice").hidden`)
}

// front passes connections on to a server, or does not.
type front struct {
	t       *testing.T
	address string
	to      string
	stop    context.CancelFunc
	done    chan struct{}
}

func newFront(t *testing.T, to string) *front {
	f := &front{t: t, address: "127.0.0.1:0", to: hostOf(t, to)}
	f.mend()
	t.Cleanup(func() { f.cut() })
	return f
}

func (f *front) url() string { return "http://" + f.address + "/" }

func (f *front) mend() {
	f.t.Helper()
	listener, err := net.Listen("tcp", f.address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	f.stop, f.done = cancel, make(chan struct{})
	go func() {
		defer close(f.done)
		passOn(ctx, listener, f.to)
	}()
}

func (f *front) cut() {
	f.stop()
	<-f.done
}
