package cli

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"penstock/engine"
)

func TestControlTurnsAwayTooManyCallers(t *testing.T) {
	t.Parallel()
	c := &control{pipeline: engine.New("p"), callers: make(chan struct{}, 1)}
	entered, leave := make(chan struct{}), make(chan struct{})
	handler := c.limited(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-leave
	}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}()
	<-entered
	second := httptest.NewRecorder()
	handler.ServeHTTP(second, httptest.NewRequest("GET", "/", nil))
	if second.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", second.Code)
	}
	close(leave)
	<-done
	if len(c.callers) != 0 {
		t.Error("a place is still taken")
	}
}

func TestControlRoutes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := serveControl(dir, engine.New("p"), slog.New(slog.DiscardHandler), hints{program: "pipeline"})
	if err != nil {
		t.Fatal(err)
	}
	client := controlClient{dir: dir}
	answer, err := client.get(t.Context(), "/v1/status")
	if err != nil {
		t.Fatal(err)
	}
	var status statusReport
	data, err := io.ReadAll(answer.body)
	if err != nil || json.Unmarshal(data, &status) != nil || status.Pipeline != "p" || answer.pipeline != "p" || status.Stages == nil {
		t.Errorf("%s, %v", data, err)
	}
	answer.Close()
	for path, want := range map[string]string{"/": "not found", "/v1/state/x": "not running", "/v1/events/x": "not running"} {
		if _, err := client.get(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for route, body := range map[string]string{routeSelect: "{}", routeReplay: "{}", routeDiscard: "{}", routeImport: "", routeWatch: "{}"} {
		if _, err := client.ask(t.Context(), http.MethodPost, route, strings.NewReader(body)); err == nil || !strings.Contains(err.Error(), "not running") {
			t.Errorf("%s: %v", route, err)
		}
	}
	if _, err := client.ask(t.Context(), http.MethodPost, routeSelect, strings.NewReader("[]")); err == nil || !strings.Contains(err.Error(), "read the request") {
		t.Errorf("a request that is none: %v", err)
	}
	c.close()
	if _, err := client.get(t.Context(), "/v1/status"); err == nil {
		t.Error("it still answers after close")
	}
}

func TestStateView(t *testing.T) {
	t.Parallel()
	type pair struct{ key, state string }
	for name, test := range map[string]struct {
		pairs []pair
		empty bool // there is the key ""
		want  string
	}{
		"one state":     {[]pair{{"", "{ \"a\" :\n1 }"}}, false, `{"a":1}` + "\n"},
		"the empty key": {[]pair{{"", "1"}, {"k\u009b", "2"}}, true, `{"key":"","state":1}` + "\n" + `{"key":"k\u009b","state":2}` + "\n"},
		"no key":        {nil, false, ""},
	} {
		view := stateView{
			one: func(string) (json.RawMessage, error) {
				if test.empty {
					return json.RawMessage("1"), nil
				}
				return nil, engine.ErrNoState
			},
			each: func(fn func(string, json.RawMessage) error) error {
				for _, p := range test.pairs {
					if err := fn(p.key, json.RawMessage(p.state)); err != nil {
						return err
					}
				}
				return nil
			},
		}
		var out strings.Builder
		if err := view.write(&out, nil); err != nil || out.String() != test.want {
			t.Errorf("%s: %q, %v, want %q", name, out.String(), err, test.want)
		}
	}
}
