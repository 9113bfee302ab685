package otel

import (
	"strings"
	"testing"
)

func TestWhatTheVariablesAskFor(t *testing.T) {
	t.Parallel()
	const (
		endpoint, exporter = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER"
		off, protocol      = "OTEL_SDK_DISABLED", "OTEL_EXPORTER_OTLP_PROTOCOL"
		queue              = "OTEL_BSP_MAX_QUEUE_SIZE"
	)
	for name, test := range map[string]struct {
		variables map[string]string
		want      bool
		refused   string
	}{
		"nothing":                 {nil, false, ""},
		"an endpoint":             {map[string]string{endpoint: "http://localhost:4318"}, true, ""},
		"an endpoint for traces":  {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}, true, ""},
		"an endpoint for metrics": {map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://localhost:4318"}, false, ""},
		"the exporter":            {map[string]string{exporter: " OTLP "}, true, ""},
		"no exporter":             {map[string]string{exporter: "none", endpoint: "http://localhost:4318"}, false, ""},
		"another exporter":        {map[string]string{exporter: "zipkin"}, false, "zipkin"},
		"disabled":                {map[string]string{off: "True", endpoint: "http://localhost:4318"}, false, ""},
		"disabled, and nonsense":  {map[string]string{off: "true", exporter: "zipkin"}, false, ""},
		"not disabled":            {map[string]string{off: "1", exporter: "otlp"}, true, ""},
		"gRPC":                    {map[string]string{protocol: "grpc", exporter: "otlp"}, false, "grpc"},
		"gRPC, but not traces":    {map[string]string{protocol: "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf", exporter: "otlp"}, true, ""},
		"gRPC for nothing":        {map[string]string{protocol: "grpc"}, false, ""},
		"no address":              {map[string]string{endpoint: "://user:secret@host"}, false, endpoint},
		"an address without http": {map[string]string{endpoint: "user:secret@host:4318"}, false, endpoint},
		"no queue":                {map[string]string{exporter: "otlp", queue: "0"}, false, queue},
		"a queue of less":         {map[string]string{exporter: "otlp", queue: "-1"}, false, queue},
		"a queue of too much":     {map[string]string{exporter: "otlp", queue: "1000000000000"}, false, queue},
		"a queue":                 {map[string]string{exporter: "otlp", queue: "512"}, true, ""},
	} {
		wanted, err := tracesWanted(func(name string) string { return test.variables[name] })
		if wanted != test.want || (err != nil) != (test.refused != "") || err != nil && !strings.Contains(err.Error(), test.refused) {
			t.Errorf("%s: %v, %v", name, wanted, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The standard has a default, which Go's SDK does not take.
func TestDefaultEndpoint(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"": 1, "OTEL_EXPORTER_OTLP_ENDPOINT": 0, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": 0} {
		options := defaultEndpoint(func(asked string) string {
			if asked == name {
				return "http://localhost:1"
			}
			return ""
		})
		if len(options) != want {
			t.Errorf("%q: %d options", name, len(options))
		}
	}
}
