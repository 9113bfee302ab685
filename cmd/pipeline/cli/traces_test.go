package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracespb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"penstock/cmd/pipeline/internal/app"
	"penstock/internal/testing/child"
)

// received is what a collector got.
type received struct {
	mu       sync.Mutex
	services map[string]bool
	spans    []*tracespb.Span
}

func (r *received) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var export collector.ExportTraceServiceRequest
	body, err := io.ReadAll(request.Body)
	if err == nil {
		err = proto.Unmarshal(body, &export)
	}
	if err != nil || request.URL.Path != "/v1/traces" || request.Header.Get("Authorization") != "secret" {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, from := range export.ResourceSpans {
		for _, a := range from.Resource.Attributes {
			if a.Key == "service.name" {
				r.services[a.Value.GetStringValue()] = true
			}
		}
		for _, scope := range from.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
}

// traced runs fizzbuzz as a process of its own with variables.
func traced(t *testing.T, variables ...string) (log string) {
	t.Helper()
	cmd := workerCommand("run", "fizzbuzz", "--rate=5ms", "--beats=30", "--no-faults", "--dir", t.TempDir())
	cmd.Env = append(cmd.Env, variables...)
	c := child.StartFor(t, cmd, nil)
	if code := c.Code(t); code != app.ExitOK {
		t.Fatalf("exit %d\n%s", code, c.Stderr)
	}
	return c.Stderr.String()
}

func TestRunSendsTraces(t *testing.T) {
	t.Parallel()
	got := &received{services: map[string]bool{}}
	server := httptest.NewServer(got)
	defer server.Close()
	log := traced(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL, "OTEL_EXPORTER_OTLP_HEADERS=Authorization=secret", "OTEL_BSP_MAX_QUEUE_SIZE=10000")
	if strings.Contains(log, "trace") || strings.Contains(log, "spans") {
		t.Errorf("the log:\n%s", log)
	}
	if len(got.services) != 1 || !got.services["fizzbuzz"] {
		t.Errorf("services %v", got.services)
	}
	names, stages := map[string]int{}, map[string]string{}
	for _, s := range got.spans {
		names[s.Name]++
		stages[string(s.SpanId)] = s.Name
	}
	for _, name := range []string{"publish generator", "publish heartbeat", "process worker", "process logger"} {
		if names[name] == 0 {
			t.Errorf("no span %q among %v", name, names)
		}
	}
	// The worker's lead to both sources, the logger's to the worker.
	links := map[string]int{}
	for _, s := range got.spans {
		for _, l := range s.Links {
			links[s.Name+" <- "+stages[string(l.SpanId)]]++
		}
	}
	if len(links) != 3 || links["process worker <- publish generator"] == 0 || links["process worker <- publish heartbeat"] == 0 || links["process logger <- process worker"] == 0 {
		t.Errorf("links %v", links)
	}
}

func TestRunWithoutTraces(t *testing.T) {
	t.Parallel()
	got := &received{services: map[string]bool{}}
	server := httptest.NewServer(got)
	defer server.Close()
	for _, test := range []struct{ variable, says string }{
		{"OTEL_SDK_DISABLED=true", ""},
		{"OTEL_TRACES_EXPORTER=none", ""},
		{"OTEL_TRACES_SAMPLER=always_off", ""},
		{"OTEL_TRACES_EXPORTER=zipkin", "use otlp or none"},
		{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "port 4318"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:1", "cannot deliver traces"},
	} {
		log := traced(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL, "OTEL_EXPORTER_OTLP_HEADERS=Authorization=secret", test.variable)
		if len(got.spans) > 0 {
			t.Errorf("%s: %d spans", test.variable, len(got.spans))
		}
		if strings.Count(log, "level=WARN") > 2 || test.says == "" && strings.Contains(log, "level=WARN") || !strings.Contains(log, test.says) {
			t.Errorf("%s: the log:\n%s", test.variable, log)
		}
	}
}
