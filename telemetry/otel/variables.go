package otel

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
)

const (
	endpointVariable       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpointVariable = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	protocolVariable       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	tracesProtocolVariable = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	exporterVariable       = "OTEL_TRACES_EXPORTER"
	disabledVariable       = "OTEL_SDK_DISABLED"

	// What Go's SDK leaves out: it would take https.
	standardEndpoint = "http://localhost:4318/v1/traces"

	maxQueue = 1 << 20 // spans
)

// tracesWanted says whether the variables ask for traces. An error is about what
// the SDK would take for something else, print with a password in it, or fail at.
func tracesWanted(getenv func(string) string) (bool, error) {
	value := func(name string) string { return strings.ToLower(strings.TrimSpace(getenv(name))) }
	exporter := value(exporterVariable)
	switch {
	case value(disabledVariable) == "true", exporter == "none":
		return false, nil
	case exporter == "" && value(endpointVariable) == "" && value(tracesEndpointVariable) == "":
		return false, nil
	case exporter != "" && exporter != "otlp":
		return false, fmt.Errorf("%s=%s: use otlp or none", exporterVariable, exporter)
	}
	protocol := cmp.Or(value(tracesProtocolVariable), value(protocolVariable), "http/protobuf")
	if protocol != "http/protobuf" && protocol != "http/json" {
		return false, fmt.Errorf("%s=%s: use http/protobuf or http/json; a collector takes them on port 4318", protocolVariable, protocol)
	}
	for _, name := range []string{endpointVariable, tracesEndpointVariable} {
		if u, err := url.Parse(strings.TrimSpace(getenv(name))); err != nil || value(name) != "" && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return false, fmt.Errorf("%s is not an address: give one such as http://localhost:4318", name)
		}
	}
	for _, name := range []string{"OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"} {
		if n, err := strconv.Atoi(value(name)); value(name) != "" && (err != nil || n < 1 || n > maxQueue) {
			return false, fmt.Errorf("%s=%s: give a number from 1 to %d", name, value(name), maxQueue)
		}
	}
	return true, nil
}

// defaultEndpoint is the standard's, where the variables have none.
func defaultEndpoint(getenv func(string) string) []otlptracehttp.Option {
	if strings.TrimSpace(getenv(endpointVariable)+getenv(tracesEndpointVariable)) != "" {
		return nil
	}
	return []otlptracehttp.Option{otlptracehttp.WithEndpointURL(standardEndpoint)}
}
