package telemetry

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"penstock/internal/testing/tool"
	"penstock/telemetry/internal/web"
)

// What is drawn may come from a file of anybody's: groups that would make the
// drawing endless are refused.
func TestDrawing(t *testing.T) {
	t.Parallel()
	s := serve(t, Config{})
	for name, test := range map[string]struct {
		body string
		code int
		want string
	}{
		"a graph":             {`{"graph":{"pipeline":"p","stages":[{"name":"a \"b\"","kind":"source"}]}}`, 200, `"a \"b\"" [id=`},
		"no JSON":             {`{`, 400, "body"},
		"a group in itself":   {`{"graph":{"groups":[{"name":""}]}}`, 400, "group"},
		"a group twice":       {`{"graph":{"groups":[{"name":"a"},{"name":"a"}]}}`, 400, "group"},
		"more than is needed": {`{"graph":{"pipeline":"` + strings.Repeat("x", web.BodyBytes) + `"}}`, 413, "large"},
	} {
		code, _, body := s.ask("POST", "/api/v1/graph.dot", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(test.body)), int64(len(test.body))
		})
		if code != test.code || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d %.200s", name, code, body)
		}
	}
}

func TestGraphSVG(t *testing.T) {
	t.Parallel()
	tool.Find(t, "dot")
	s := serve(t, Config{})
	s.until("a sample", func() bool { return s.sampleOf("worker").State != "" })
	code, h, body := s.ask("GET", "/graph.svg", nil)
	if code != 200 || h.Get("Content-Type") != "image/svg+xml" || !strings.Contains(body, ">worker<") {
		t.Errorf("%d %s\n%s", code, h.Get("Content-Type"), body)
	}
	// Opened by itself it is a document: it must not be one that can do anything.
	for _, want := range []string{"default-src 'none'", "sandbox"} {
		if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, want) || strings.Contains(policy, "script") || strings.Contains(policy, "allow-") {
			t.Errorf("content policy %q", policy)
		}
	}
	if h.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("a browser may take it for something else")
	}
}

// Without Graphviz one is told what to do.
func TestNoGraphviz(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := serve(t, Config{})
	code, _, body := s.ask("GET", "/graph.svg", nil)
	if code != 501 || !strings.Contains(body, "apt install graphviz") || !strings.Contains(body, "graph.dot") {
		t.Errorf("%d %s", code, body)
	}
}
