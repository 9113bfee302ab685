//go:build unix

package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/runcmd"
	"penstock/engine/observe"
	"penstock/internal/testing/child"
	"penstock/telemetry"
)

// counts are what everybody tells of a stage.
type counts struct {
	in, out, restarts, panics, attempts, letters uint64 // attempts that failed
	causes                                       string // restarts by reason
}

func causesOf(by map[string]uint64) string { return fmt.Sprint(by) } // in the order of the keys

// process is a run of fizzbuzz that a person watches.
type process struct {
	*child.Child
	t   *testing.T
	log *child.Output
	url string
}

func startWatched(t *testing.T, args ...string) *process {
	t.Helper()
	c := child.StartFor(t, workerCommand(append([]string{"run", "--rate=5ms", "--beats=1000000", "--log-format=json", "--telemetry=127.0.0.1:0"}, args...)...), nil)
	p := &process{Child: c, t: t, log: c.Stderr}
	p.log.Await(t, `"msg":"the dashboard is ready"`)
	p.url = regexp.MustCompile(`http://127[^"]*`).FindString(p.log.String())
	return p
}

func (p *process) get(path string) []byte {
	p.t.Helper()
	return p.do("GET", path, "")
}

func (p *process) do(method, path, body string) []byte {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin") // as the page does
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.log)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		p.t.Fatalf("%s %s: %d, %v: %s", method, path, answer.StatusCode, err, data)
	}
	return data
}

func decode[T any](t *testing.T, data []byte) (value T) {
	t.Helper()
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return value
}

func (p *process) status() map[string]counts {
	p.t.Helper()
	return countsOf(decode[observe.Status](p.t, p.get("api/v1/status")))
}

func countsOf(status observe.Status) map[string]counts {
	all := map[string]counts{}
	for _, s := range status.Stages {
		all[s.Name] = counts{s.In, s.Out, s.Restarts, s.Panics, s.FailedAttempts, s.DeadLetters, causesOf(s.RestartsBy)}
	}
	return all
}

// sample is what the page shows. It does not have the reasons.
func (p *process) sample() map[string]counts {
	p.t.Helper()
	all := map[string]counts{}
	for _, s := range decode[telemetry.Sample](p.t, p.get("api/v1/sample")).Stages {
		all[s.Name] = counts{s.In, s.Out, s.Restarts, s.Faults, s.Attempts, s.DeadLetters, ""}
	}
	return all
}

// metrics are what Prometheus reads.
func (p *process) metrics() map[string]counts {
	p.t.Helper()
	line := regexp.MustCompile(`^penstock_stage_(\w+_total)\{(.*)\} (\S+)$`)
	label := regexp.MustCompile(`(\w+)="([^"]*)"`)
	all, causes := map[string]counts{}, map[string]map[string]uint64{}
	for text := range strings.Lines(string(p.get("metrics"))) {
		found := line.FindStringSubmatch(strings.TrimSpace(text))
		if found == nil {
			continue
		}
		labels := map[string]string{}
		for _, l := range label.FindAllStringSubmatch(found[2], -1) {
			labels[l[1]] = l[2]
		}
		v, err := strconv.ParseFloat(found[3], 64)
		if err != nil {
			p.t.Fatal(err)
		}
		stage, n := labels["stage"], uint64(v)
		c := all[stage]
		switch found[1] {
		case "messages_in_total":
			c.in = n
		case "messages_out_total":
			c.out = n
		case "restarts_total":
			if c.restarts += n; causes[stage] == nil {
				causes[stage] = map[string]uint64{}
			}
			if n > 0 { // those that never came are told, too
				causes[stage][labels["reason"]] = n
			}
		case "faults_total":
			if labels["kind"] == "panic" {
				c.panics = n
			}
		case "failed_attempts_total":
			c.attempts = n
		case "dead_letters_total":
			c.letters += n
		}
		all[stage] = c
	}
	for stage, c := range all {
		c.causes = causesOf(causes[stage])
		all[stage] = c
	}
	return all
}

// events are the histories of the stages, those of the process before included.
func (p *process) events() map[string]counts {
	p.t.Helper()
	all := map[string]counts{}
	for stage := range p.status() {
		c, causes := counts{}, map[string]uint64{}
		for _, e := range decode[[]observe.StageEvent](p.t, p.get("api/v1/stages/"+stage+"/events")) {
			switch {
			case e.Kind == "restarting":
				c.restarts++
				causes[e.Reason]++
			case e.Kind == "fault" && e.Reason == "panic":
				c.panics++
			case e.Kind == "dead letter":
				c.letters++
			}
		}
		c.causes = causesOf(causes)
		all[stage] = c
	}
	return all
}

// recent are the events that the page has: those of this process.
func (p *process) recent() map[string]counts {
	p.t.Helper()
	all := map[string]counts{}
	for _, e := range decode[[]telemetry.Event](p.t, p.get("api/v1/events")) {
		c := all[e.Stage]
		switch {
		case e.Kind == "fault" && e.Reason == "panic":
			c.panics++
		case e.Kind == "dead letter":
			c.letters++
		default:
			continue
		}
		all[e.Stage] = c
	}
	return all
}

// addLog adds what the lines of a log say.
func addLog(t *testing.T, all map[string]counts, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		e := decode[struct{ Msg, Stage, Reason string }](t, []byte(line))
		c := all[e.Stage]
		switch {
		case e.Msg == "the stage failed" && e.Reason == "panic":
			c.panics++
		case e.Msg == "a message became a dead letter":
			c.letters++
		default:
			continue
		}
		all[e.Stage] = c
	}
}

// only is what can be compared with who does not tell all.
func only(all map[string]counts, keep func(counts) counts) map[string]counts {
	some := map[string]counts{}
	for stage, c := range all {
		some[stage] = keep(c)
	}
	return some
}

func (p *process) until(what string, is func() bool) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !is(); {
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatalf("not within %v: %s\n%v\n%s", patience, what, p.status(), p.log)
		}
	}
}

// Restarts, dead letters and totals are the same wherever one looks, through panics, replays, a kill and a second process: in the
// API, on the page, for Prometheus, in the log, in the histories and in the report.
func TestAllAgreeOnWhatHappened(t *testing.T) {
	t.Parallel()
	dir, report := t.TempDir(), filepath.Join(t.TempDir(), "report.json")
	first := startWatched(t, "--dir", dir)
	first.until("both dead letters, and further messages", func() bool { s := first.status(); return s["worker"].letters == 1 && s["logger"].in > 41 })
	if err := first.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if code := first.Code(t); code != -1 {
		t.Fatalf("exit %d", code)
	}

	second := startWatched(t, "--dir", dir, "--report", report)
	second.log.Await(t, "resuming the run that was interrupted")
	second.until("it runs", func() bool { return second.status()["worker"].in > 0 })
	second.do("POST", "api/v1/letters/replay", `{"ids": ["worker.0:generator.0:33"]}`)
	second.until("it fails again", func() bool { return second.status()["worker"].letters == 2 })
	second.do("POST", "api/v1/stages/logger/restart", "")
	second.until("the restart", func() bool { return second.status()["logger"].restarts == 4 })
	second.do("POST", "api/v1/stages/heartbeat/pause", "")
	second.do("POST", "api/v1/stages/generator/pause", "")
	var still map[string]counts
	second.until("all is still", func() bool {
		before := still
		still = second.status()
		return maps.Equal(before, still) && maps.Equal(second.sample(), only(still, func(c counts) counts { c.causes = ""; return c })) &&
			still["logger"].in == still["worker"].out
	})

	// What really happened.
	for stage, want := range map[string]counts{
		"generator": {restarts: 1, panics: 1, attempts: 1, causes: "map[panic:1]"},
		"heartbeat": {restarts: 1, panics: 1, attempts: 1, causes: "map[panic:1]"},
		"worker":    {restarts: 6, panics: 6, attempts: 6, letters: 2, causes: "map[panic:6]"},
		"logger":    {restarts: 4, panics: 3, attempts: 3, letters: 1, causes: "map[panic:3 shutdown:1]"},
	} {
		got := still[stage]
		if got.in, got.out = 0, 0; got != want {
			t.Errorf("%s: %+v, want %+v", stage, got, want)
		}
	}
	agree := func(who string, got, want map[string]counts) {
		t.Helper()
		if !maps.Equal(got, want) {
			t.Errorf("%s says\n%+v\nthe API says\n%+v", who, got, want)
		}
	}
	agree("Prometheus", second.metrics(), still)
	agree("the history", second.events(), only(still, func(c counts) counts { c.in, c.out, c.attempts = 0, 0, 0; return c }))
	recent := second.recent()
	if err := second.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := second.Code(t); code != app.ExitOK {
		t.Fatalf("exit %d\n%s", code, second.log)
	}
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	agree("the report", countsOf(decode[runcmd.Report](t, data).Status), still)
	lines := map[string]counts{}
	addLog(t, lines, second.log.String())
	agree("the log of the second process, unlike its events,", lines, recent)
	addLog(t, lines, first.log.String())
	agree("the log", lines, only(still, func(c counts) counts { return counts{panics: c.panics, letters: c.letters} }))
	kept := map[string]counts{}
	list := newCommand(t).run("dlq", "list", "--dir", dir, "--json")
	for lines := bufio.NewScanner(strings.NewReader(list.stdout)); lines.Scan(); {
		kept[decode[struct{ Stage string }](t, lines.Bytes()).Stage] = counts{letters: 1}
	}
	agree("pipeline dlq list", kept, map[string]counts{"worker": {letters: 1}, "logger": {letters: 1}}) // the one that was replayed is one letter
}
