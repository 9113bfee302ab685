package telemetry_test

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"penstock/telemetry"
)

// A program that has a registry already needs no Server for Prometheus.
func ExampleNewCollector() {
	registry := prometheus.NewRegistry()
	registry.MustRegister(telemetry.NewCollector(counting()))
	families, err := registry.Gather()
	for _, f := range families {
		fmt.Println(strings.HasPrefix(f.GetName(), "penstock_"))
	}
	fmt.Println(len(families), "families before it runs,", err)
	// Output: 0 families before it runs, <nil>
}
