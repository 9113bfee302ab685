package socket

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/wire"
	"penstock/cmd/pipeline/internal/words"
	"penstock/engine"
)

func TestControlTurnsAwayTooManyCallers(t *testing.T) {
	t.Parallel()
	c := &Server{pipeline: engine.New("p"), callers: make(chan struct{}, 1)}
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
	c, err := Serve(dir, engine.New("p"), slog.New(slog.DiscardHandler), words.Hints{Program: "pipeline"})
	if err != nil {
		t.Fatal(err)
	}
	client := Client{Dir: dir}
	answer, err := client.get(t.Context(), "/v1/status")
	if err != nil {
		t.Fatal(err)
	}
	var status wire.StatusReport
	data, err := io.ReadAll(answer.Body)
	if err != nil || json.Unmarshal(data, &status) != nil || status.Pipeline != "p" || answer.Pipeline != "p" || status.Stages == nil {
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
	c.Close()
	if _, err := client.get(t.Context(), "/v1/status"); err == nil {
		t.Error("it still answers after close")
	}
}
