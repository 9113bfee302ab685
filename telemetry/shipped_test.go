package telemetry

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"penstock/telemetry/prom"
)

// The dashboard for Grafana and the alerts speak of metrics that there are.
func TestShippedFilesFitTheMetrics(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	descriptions := make(chan *prometheus.Desc, 100)
	(&prom.Collector{}).Describe(descriptions)
	prom.NewTriggerCollector("", nil).Describe(descriptions)
	close(descriptions)
	name := regexp.MustCompile(`fqName: "([^"]+)"`)
	for d := range descriptions {
		known[name.FindStringSubmatch(d.String())[1]] = true
	}
	used := regexp.MustCompile(`penstock_[a-z_]+`)
	for _, file := range []string{"grafana.json", "alerts.yml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := used.FindAllString(string(data), -1)
		if len(found) < 10 {
			t.Errorf("%s names %d metrics", file, len(found))
		}
		for _, metric := range found {
			if !known[strings.TrimSuffix(metric, "_bucket")] {
				t.Errorf("%s names %s, which is no metric", file, metric)
			}
		}
	}
}

// Of each alert there is a case in which it fires, and one in which it does not.
func TestEachAlertIsTried(t *testing.T) {
	t.Parallel()
	alerts, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := os.ReadFile("testdata/alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(alerts), -1) {
		for _, expected := range []string{`\[\]`, `\n\s+- exp_labels`} {
			if !regexp.MustCompile("alertname: " + found[1] + `\s+exp_alerts: ?` + expected).Match(cases) {
				t.Errorf("%s: there is no case with %s", found[1], expected)
			}
		}
	}
}
