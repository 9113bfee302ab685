package telemetry

import (
	"io"
	"net/http"
	"strings"
	"testing"
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
		"more than is needed": {`{"graph":{"pipeline":"` + strings.Repeat("x", bodyBytes) + `"}}`, 413, "large"},
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
