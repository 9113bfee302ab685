package telemetry

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each route is documented, and each documented one is there.
func TestRoutesAreDocumented(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("routes.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	wild := regexp.MustCompile(`\{[^}]*\}`)
	var served, told []string
	for _, route := range regexp.MustCompile(`"((?:GET|POST) /[^"]*)"`).FindAllStringSubmatch(string(source), -1) {
		served = append(served, wild.ReplaceAllString(strings.Replace(route[1], " /api/v1", " ", 1), "*"))
	}
	_, api, found := strings.Cut(string(page), "## The API")
	if !found || len(served) < 20 {
		t.Fatalf("%d routes, or no section of them", len(served))
	}
	documented := regexp.MustCompile("`((?:GET|POST) )?(/[a-z{][^` ]*)`")
	for line := range strings.Lines(api) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cell, _, _ := strings.Cut(line[1:], "|")
		method, stem := "", ""
		for _, route := range documented.FindAllStringSubmatch(cell, -1) {
			path, _, _ := strings.Cut(route[2], "?")
			if route[1] != "" {
				method, stem = route[1], path[:strings.LastIndex(path, "/")]
			} else {
				path = stem + path // "POST /a/b", "/c" is short for POST /a/c
			}
			told = append(told, method+wild.ReplaceAllString(path, "*"))
		}
	}
	// What a person would write for several at once.
	var each []string
	for _, route := range served {
		switch route {
		case "POST /stages/*/*":
			each = append(each, "POST /stages/*/restart", "POST /stages/*/pause", "POST /stages/*/resume")
		case "POST /letters/*":
			each = append(each, "POST /letters/replay", "POST /letters/discard")
		case "GET /*", "GET /assets/":
		default:
			each = append(each, route)
		}
	}
	for _, route := range each {
		isOfPage := strings.Contains(string(page), "`"+strings.TrimPrefix(route, "GET ")+"`") // /metrics, /healthz …
		if !slices.Contains(told, route) && !isOfPage {
			t.Errorf("%s is not documented", route)
		}
	}
	for _, route := range told {
		if !slices.Contains(each, route) {
			t.Errorf("%s is documented, and not there", route)
		}
	}
}

// Whatever the API answers is JSON, also when there is nothing to tell.
func TestTheAPIAnswersJSON(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	s.until("a sample", func() bool { return s.sampleOf("worker").State != "" })
	for path, want := range map[string]int{
		"/api/v1/mode": 200, "/api/v1/status": 200, "/api/v1/graph": 200, "/api/v1/sample": 200, "/api/v1/letters": 200,
		"/api/v1/stages": 200, "/api/v1/stages/worker": 200, "/api/v1/stages/nobody": 404, "/api/v1/channels": 200,
		"/api/v1/history": 200, "/api/v1/history?seconds=0": 200, "/api/v1/history?seconds=99999999": 200, "/api/v1/history?seconds=-1": 400,
		"/api/v1/events": 200, "/api/v1/events?after=4294967295": 200, "/api/v1/events?after=x": 400,
		"/api/v1/stages/worker/events": 200, "/api/v1/stages/nobody/events": 404, "/api/v1/stages/worker/state": 200,
		"/api/v1/stages/worker/state?key=k": 404, "/api/v1/letters/worker.0:numbers.0:1": 404, "/api/v1/letters/x": 400, "/readyz": 200,
		"/api/v1/messages/numbers": 404,
	} {
		code, h, body := s.ask("GET", path, nil)
		if code != want || h.Get("Content-Type") != "application/json" || !json.Valid([]byte(body)) || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, want %d, %s: %.300q", path, code, want, h.Get("Content-Type"), body)
		}
	}
}
