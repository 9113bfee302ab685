package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string][]string{
		"":                                     {"expected one of", "pipeline --help"},
		"walk":                                 {"walk"},
		"run walk":                             {"walk"},
		"run --rate=-5":                        {"--rate", `"-5"`, "above 0", "500ms"},
		"run --rate -5":                        {"--rate", `"-5"`},
		"run --rate 0":                         {"--rate", `"0"`, "above 0"},
		"run --rate 1.5":                       {"--rate", `"1.5"`, "unit"},
		"run --rate 9223372036854775807":       {"--rate", "too long"},
		"run --beats 0":                        {"--beats", `"0"`, "1 or more"},
		"run --beats=-1":                       {"--beats", `"-1"`, "1 or more"},
		"run --beats 99999999999999999999":     {"--beats"},
		"run --sync sometimes":                 {"--sync", `"sometimes"`, "always", "1s"},
		"run nosuch":                           {"nosuch", "fizzbuzz, wordcount, unstablecounter"},
		"run --sync 0":                         {"--sync", `"0"`},
		"run --drain 0s":                       {"--drain", `"0s"`},
		"run --log-level loud":                 {"--log-level", "loud", "debug"},
		"run --log-format xml":                 {"--log-format", "xml", "json"},
		"run --replicas 3":                     {"--replicas", "3", "--nats"},
		"run --replicas 6 --nats x":            {"--replicas", "6", "5"},
		"run --nats-token x":                   {"--nats-token", "--nats"},
		"run --tls-ca " + file:                 {"--tls-ca", "--nats"},
		"run --tls-ca none --nats x":           {"--tls-ca", "none"},
		"run --tls-cert " + file + " --nats x": {"--tls-cert", "--tls-key"},
		"run --tls-key " + file + " --nats x":  {"--tls-key", "--tls-cert"},
		"run --nats x --nats-user u --nats-token t": {"--nats-user", "--nats-token", "one way"},
		"run --nats x --nats-password p":            {"--nats-password", "--nats-user"},
		"run --nats http://u:secret@h":              {"--nats", "http://…@h", "nats://"},
		"run nats://u:secret@h:4222":                {"nats://…@h:4222"},
		"run u:secret@h:4222":                       {"…@h:4222"},
		"state worker --nats http://secret@h":       {"--nats", "http://…@h"},
		"run --report /none/report":                 {"--report", "/none/report"},
		"run --report " + filepath.Dir(file):        {"--report", "directory"},
		"run --peek some":                           {"--peek"},
		"graph nothing":                             {"nothing", "fizzbuzz", "pipeline graph --help"},
		"graph --format png":                        {"--format", "png", "svg"},
		"replay-telemetry":                          {"file", "pipeline replay-telemetry --help"},
		"run wordcount":                             {"file", "pipeline run wordcount --help"},
		"run wordcount --ext , x":                   {"--ext", `","`},
		"run wordcount --ext a/b x":                 {"--ext", "slash"},
		"run wordcount --max-line 0 x":              {"--max-line", "above 0"},
		"run wordcount --long-lines drop x":         {"--long-lines", "drop", "skip"},
		"run --rate 1s wordcount x":                 {"--rate", "fizzbuzz"},
		"run unstablecounter --seconds 0":           {"--seconds", `"0"`, "1 or more"},
		"dlq":                                       {"expected one of", "pipeline dlq --help"},
		"dlq show":                                  {"ID", "pipeline dlq show --help"},
		"dlq show 33":                               {`"33"`, "worker.0:generator.0:33"},
		"dlq show a.0:b.0:1 --raw --json":           {"--raw", "--json"},
		"dlq list --reason bad":                     {"--reason", `"bad"`, "panic", "too-large"},
		"dlq list --since yesterday":                {"--since", `"yesterday"`, "2h"},
		"dlq list --no-values":                      {"--no-values", "--json"},
		"dlq replay":                                {"IDs", "--stage", "--all"},
		"dlq replay --all a.0:b.0:1":                {"--all", "IDs"},
		"dlq replay --all --stage a":                {"--all", "--stage"},
		"dlq replay --all --rate 0":                 {"--rate", `"0"`, "0.5"},
		"dlq replay --all --edit":                   {"--edit", "one letter"},
		"dlq replay a.0:b.0:1 a.0:b.0:2 --value 1":  {"--value", "one letter"},
		"dlq replay a.0:b.0:1 --edit --value 1":     {"--edit", "--value"},
		"dlq replay a.0:b.0:1 --dry-run --edit":     {"--dry-run", "--edit"},
		"dlq discard --all":                         {"--yes", "terminal"},
		"dlq discard --yes":                         {"IDs", "--all"},
		"dlq import":                                {"file", "pipeline dlq import --help"},
		"dlq list --nats-token x":                   {"--nats-token", "--nats"},
		"events a b":                                {"b", "pipeline events --help"},
		"state":                                     {"stage", "pipeline state --help"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			c := newCommand(t)
			if strings.HasPrefix(args, "state worker") {
				c.run("run", "--rate=1ms", "--beats=1") // there must be something to look into
			}
			r := c.run(strings.Fields(args)...)
			if r.code != app.ExitUsage || r.stdout != "" {
				t.Errorf("exit %d, %q", r.code, r.stdout)
			}
			mustContain(t, "the error", r.err, want...)
			if strings.Contains(r.err, "secret") {
				t.Errorf("a secret is shown: %s", r.err)
			}
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	for args, want := range map[string][]string{
		"--help":                     {"run fizzbuzz", "run wordcount", "run unstablecounter", "state", "events", "dlq list", "graph", "replay-telemetry", "version"},
		"graph --help":               {"--format", "dot|svg", "Graphviz", "wordcount"},
		"replay-telemetry --help":    {"recording", "--telemetry", "--telemetry-token-file", "--telemetry-host"},
		"run --help":                 {"--telemetry", "ADDR|off", "127.0.0.1:9900", "$PENSTOCK_TELEMETRY", "--telemetry-token-file", "--telemetry-host", "--peek", "--drain", "30s", "milliseconds", "--sync", "$XDG_STATE_HOME/penstock", "$NO_COLOR"},
		"run fizzbuzz --help":        {"--rate", "--beats", "--no-faults", "--nats"},
		"run wordcount --help":       {"--ext", "counts.txt", "--max-line", "--long-lines", "--accept-changes", "gzip"},
		"run unstablecounter --help": {"--seconds", "--nats", "--report"},
		"dlq --help":                 {"dlq list", "dlq show", "dlq replay", "dlq discard", "dlq export", "dlq import", "dlq watch"},
		"dlq replay --help":          {"--dry-run", "--rate", "--to", "--edit", "$VISUAL", "--force", "--stage", "--all", "--nats", "--dir"},
		"dlq list --help":            {"--json", "--since", "7d", "--reason", "too-large", "--key", "--error"},
		"events --help":              {"--json", "--stack", "--pipeline", "merged by time"},
		"state --help":               {"--key", `{"key":…,"state":…}`},
		"version":                    {"penstock", "revision", "go1.", "nats-server  2."},
	} {
		r := c.run(strings.Fields(args)...)
		if r.code != app.ExitOK || r.err != "" {
			t.Errorf("%s: exit %d\n%s", args, r.code, r.err)
		}
		mustContain(t, args, r.stdout, want...)
	}
}
