package tests

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed says which packages of ours a package may import, itself and below
// included: the arrows of docs/design.md. The longest prefix counts.
var allowed = map[string][]string{
	"penstock/internal/argsfile":               {"penstock/internal/format"},
	"penstock/internal/bitflip":                {},
	"penstock/internal/counted":                {},
	"penstock/internal/crowd":                  {},
	"penstock/internal/format":                 {},
	"penstock/internal/hint":                   {},
	"penstock/internal/jscode":                 {},
	"penstock/internal/pause":                  {},
	"penstock/internal/nofollow":               {},
	"penstock/internal/openfiles":              {},
	"penstock/internal/userfile":               {"penstock/internal/nofollow"},
	"penstock/internal/testing":                {"penstock/tests/loopback"},
	"penstock/checkpoint":                      {"penstock/checkpoint/internal", "penstock/engine/remedy", "penstock/internal/format", "penstock/internal/nofollow", "penstock/internal/openfiles", "penstock/internal/bitflip", "penstock/internal/counted"},
	"penstock/checkpoint/internal/disk":        {"penstock/internal/nofollow", "penstock/internal/openfiles"},
	"penstock/checkpoint/internal/entry":       {"penstock/internal/format"},
	"penstock/checkpoint/internal/journal":     {"penstock/checkpoint/internal/disk", "penstock/checkpoint/internal/entry"},
	"penstock/checkpoint/internal/mend":        {"penstock/checkpoint/internal/disk", "penstock/checkpoint/internal/entry", "penstock/engine/remedy", "penstock/internal/nofollow", "penstock/internal/bitflip", "penstock/internal/counted"},
	"penstock/internal/testing/patient":        {"penstock/engine", "penstock/internal/testing"},
	"penstock/dlq":                             {"penstock/engine/cborjson", "penstock/engine/redact", "penstock/engine/remedy", "penstock/internal/format", "penstock/internal/jscode"},
	"penstock/engine":                          {"penstock/checkpoint", "penstock/dlq", "penstock/engine", "penstock/internal"},
	"penstock/engine/frame":                    {"penstock/internal/format"},
	"penstock/engine/redact":                   {},
	"penstock/engine/remedy":                   {},
	"penstock/engine/faultpoint":               {},
	"penstock/engine/internal/memory":          {"penstock/checkpoint", "penstock/dlq", "penstock/engine/channel", "penstock/engine/frame", "penstock/engine/internal/plan", "penstock/engine/internal/ports", "penstock/engine/internal/rule", "penstock/engine/internal/view", "penstock/engine/internal/wall"},
	"penstock/engine/internal/answer":          {"penstock/engine/supervise"},
	"penstock/engine/internal/checkpointer":    {"penstock/checkpoint", "penstock/engine/faultpoint", "penstock/engine/internal/diskspace", "penstock/engine/internal/logsample", "penstock/engine/internal/ports", "penstock/engine/internal/view", "penstock/engine/internal/waits", "penstock/engine/observe"},
	"penstock/engine/internal/logsample":       {"penstock/dlq"},
	"penstock/engine/internal/compiled":        {"penstock/engine/internal/plan", "penstock/engine/internal/task"},
	"penstock/engine/internal/simulation":      {},
	"penstock/engine/internal/rule":            {},
	"penstock/engine/internal/register":        {"penstock/engine/channel", "penstock/engine/faultpoint", "penstock/engine/frame", "penstock/engine/internal/ports", "penstock/engine/internal/rule"},
	"penstock/engine/internal/blocks":          {"penstock/internal/nofollow", "penstock/internal/bitflip"},
	"penstock/engine/internal/wall":            {},
	"penstock/engine/internal/datadir":         {"penstock/checkpoint", "penstock/engine/broker", "penstock/engine/channel", "penstock/engine/remedy", "penstock/engine/internal/blocks", "penstock/engine/internal/view", "penstock/internal/format", "penstock/internal/nofollow", "penstock/internal/userfile", "penstock/internal/argsfile"},
	"penstock/engine/observe":                  {"penstock/engine/measure", "penstock/dlq", "penstock/engine/supervise"},
	"penstock/engine/rights":                   {"penstock/dlq", "penstock/engine/broker", "penstock/engine/channel", "penstock/engine/internal/plan"},
	"penstock/engine/trace":                    {"penstock/engine/observe"},
	"penstock/engine/inspect":                  {"penstock/checkpoint", "penstock/dlq", "penstock/engine/broker", "penstock/engine/channel", "penstock/engine/frame", "penstock/engine/observe", "penstock/engine/internal/blocks", "penstock/engine/internal/datadir", "penstock/engine/internal/layout", "penstock/engine/internal/history", "penstock/engine/internal/origins", "penstock/engine/internal/plan", "penstock/engine/internal/scratch", "penstock/engine/internal/shape", "penstock/engine/internal/view"},
	"penstock/engine/doctor":                   {"penstock/checkpoint", "penstock/dlq", "penstock/engine/broker", "penstock/engine/channel", "penstock/engine/frame", "penstock/engine/inspect", "penstock/engine/internal/blocks", "penstock/engine/internal/datadir", "penstock/engine/internal/durability", "penstock/engine/internal/inflight", "penstock/engine/internal/layout", "penstock/engine/internal/plan", "penstock/engine/internal/shape", "penstock/engine/internal/scratch", "penstock/engine/internal/view", "penstock/engine/remedy", "penstock/internal/format", "penstock/internal/nofollow", "penstock/internal/counted", "penstock/internal/argsfile"},
	"penstock/engine/internal/layout":          {"penstock/engine/internal/plan", "penstock/engine/internal/ports", "penstock/internal/format"},
	"penstock/engine/internal/repartition":     {"penstock/checkpoint", "penstock/engine/faultpoint", "penstock/engine/frame", "penstock/engine/internal/checkpointer", "penstock/engine/internal/durability", "penstock/engine/internal/plan", "penstock/engine/internal/ports", "penstock/engine/internal/rule", "penstock/engine/internal/shape", "penstock/engine/internal/task", "penstock/engine/internal/view", "penstock/internal/counted"},
	"penstock/engine/internal/scratch":         {"penstock/internal/nofollow", "penstock/internal/userfile"},
	"penstock/engine/internal/diskspace":       {"penstock/checkpoint", "penstock/engine/observe"},
	"penstock/engine/internal/durability":      {"penstock/checkpoint", "penstock/engine/internal/blocks", "penstock/engine/internal/ports"},
	"penstock/engine/internal/history":         {"penstock/dlq", "penstock/engine/observe", "penstock/engine/supervise", "penstock/engine/internal/ports"},
	"penstock/engine/internal/shape":           {"penstock/engine/cborjson", "penstock/engine/internal/plan", "penstock/engine/internal/ports", "penstock/engine/internal/view"},
	"penstock/engine/internal/plan":            {"penstock/engine/breaker", "penstock/engine/frame", "penstock/engine/observe", "penstock/engine/supervise"},
	"penstock/engine/internal/origins":         {"penstock/dlq", "penstock/engine/broker", "penstock/engine/channel", "penstock/engine/frame", "penstock/engine/remedy", "penstock/engine/internal/plan"},
	"penstock/engine/internal/ports":           {"penstock/checkpoint", "penstock/dlq", "penstock/engine/broker", "penstock/engine/channel", "penstock/engine/internal/wall", "penstock/internal/pause"},
	"penstock/engine/internal/quarantine":      {"penstock/engine/internal/inflight", "penstock/engine/internal/plan", "penstock/engine/internal/ports"},
	"penstock/engine/internal/state":           {"penstock/checkpoint", "penstock/engine/frame", "penstock/engine/supervise", "penstock/engine/internal/view"},
	"penstock/engine/internal/task":            {"penstock/checkpoint", "penstock/dlq", "penstock/engine/breaker", "penstock/engine/broker", "penstock/engine/channel", "penstock/engine/faultpoint", "penstock/engine/frame", "penstock/engine/internal/answer", "penstock/engine/internal/checkpointer", "penstock/engine/internal/datadir", "penstock/engine/internal/diskspace", "penstock/engine/internal/durability", "penstock/engine/internal/history", "penstock/engine/internal/inflight", "penstock/engine/internal/logsample", "penstock/engine/internal/plan", "penstock/engine/internal/ports", "penstock/engine/internal/quarantine", "penstock/engine/internal/register", "penstock/engine/internal/rule", "penstock/engine/internal/shape", "penstock/engine/internal/state", "penstock/engine/internal/view", "penstock/engine/internal/waits", "penstock/engine/measure", "penstock/engine/observe", "penstock/engine/remedy", "penstock/engine/supervise", "penstock/engine/trace", "penstock/internal/pause", "penstock/internal/counted"},
	"penstock/engine/internal/view":            {"penstock/checkpoint", "penstock/engine/channel", "penstock/engine/faultpoint", "penstock/engine/frame", "penstock/engine/remedy", "penstock/engine/internal/ports"},
	"penstock/engine/internal/waits":           {"penstock/engine/internal/ports", "penstock/engine/internal/quarantine", "penstock/engine/internal/wall", "penstock/engine/observe", "penstock/engine/redact", "penstock/engine/supervise"},
	"penstock/engine/supervise":                {"penstock/internal/counted"},
	"penstock/engine/internal/cborhead":        {},
	"penstock/engine/cborjson":                 {"penstock/engine/internal/cborhead"},
	"penstock/engine/internal/values":          {"penstock/engine/internal/cborhead"},
	"penstock/engine/breaker":                  {},
	"penstock/engine/broker":                   {"penstock/engine/remedy", "penstock/engine/internal/blocks", "penstock/internal/jscode", "penstock/internal/nofollow", "penstock/internal/userfile", "penstock/internal/counted"},
	"penstock/engine/channel":                  {"penstock/engine/redact", "penstock/engine/remedy", "penstock/engine/frame", "penstock/engine/broker", "penstock/engine/faultpoint", "penstock/engine/internal/rule", "penstock/internal/format", "penstock/internal/hint", "penstock/internal/jscode", "penstock/internal/userfile", "penstock/internal/counted"},
	"penstock/engine/enginetest":               {"penstock/dlq", "penstock/engine"},
	"penstock/stages":                          {"penstock/engine", "penstock/internal/pause", "penstock/internal/userfile"},
	"penstock/stages/connector":                {"penstock/engine"},
	"penstock/stages/conformance":              {"penstock/engine", "penstock/dlq", "penstock/stages", "penstock/internal/pause", "penstock/internal/testing"},
	"penstock/stages/jetstream":                {"penstock/engine", "penstock/stages", "penstock/internal/jscode"},
	"penstock/telemetry":                       {"penstock/engine", "penstock/dlq", "penstock/internal/openfiles", "penstock/internal/userfile", "penstock/telemetry", "penstock/internal/counted"},
	"penstock/telemetry/drawing":               {"penstock/engine", "penstock/telemetry/internal/text", "penstock/telemetry/record", "penstock/internal/counted"},
	"penstock/telemetry/internal/text":         {"penstock/dlq", "penstock/engine/redact", "penstock/engine/supervise"},
	"penstock/telemetry/internal/web":          {"penstock/internal/crowd", "penstock/internal/openfiles"},
	"penstock/telemetry/otel":                  {"penstock/engine", "penstock/telemetry/internal/text"},
	"penstock/telemetry/prom":                  {"penstock/engine", "penstock/dlq", "penstock/telemetry/record"},
	"penstock/telemetry/record":                {"penstock/engine", "penstock/internal/format", "penstock/telemetry/internal/text"},
	"penstock/examples":                        {"penstock/engine", "penstock/stages", "penstock/dlq"},
	"penstock/cmd/pipeline":                    {"penstock/cmd/pipeline/cli", "penstock/cmd/pipeline/internal/shipped"},
	"penstock/cmd/pipeline/cli":                {"penstock/cmd/pipeline/internal/app", "penstock/cmd/pipeline/internal/dlqcmd", "penstock/cmd/pipeline/internal/doctorcmd", "penstock/cmd/pipeline/internal/flags", "penstock/cmd/pipeline/internal/guard", "penstock/cmd/pipeline/internal/lookcmd", "penstock/cmd/pipeline/internal/render", "penstock/cmd/pipeline/internal/runcmd", "penstock/cmd/pipeline/internal/showcmd", "penstock/cmd/pipeline/control", "penstock/engine"},
	"penstock/cmd/pipeline/control":            {"penstock/cmd/pipeline/internal/socket", "penstock/cmd/pipeline/internal/words", "penstock/engine"},
	"penstock/cmd/pipeline/internal/app":       {"penstock/internal/hint", "penstock/cmd/pipeline/internal/flags", "penstock/cmd/pipeline/internal/guard", "penstock/cmd/pipeline/internal/render", "penstock/cmd/pipeline/internal/words", "penstock/engine"},
	"penstock/cmd/pipeline/internal/dlqcmd":    {"penstock/cmd/pipeline/internal/app", "penstock/cmd/pipeline/internal/flags", "penstock/cmd/pipeline/internal/letters", "penstock/cmd/pipeline/internal/render", "penstock/cmd/pipeline/internal/socket", "penstock/cmd/pipeline/internal/where", "penstock/engine", "penstock/dlq", "penstock/internal/userfile", "penstock/internal/counted"},
	"penstock/cmd/pipeline/internal/doctorcmd": {"penstock/cmd/pipeline/internal/app", "penstock/cmd/pipeline/internal/render", "penstock/cmd/pipeline/internal/socket", "penstock/cmd/pipeline/internal/where", "penstock/cmd/pipeline/internal/words", "penstock/engine"},
	"penstock/cmd/pipeline/internal/flags":     {},
	"penstock/cmd/pipeline/internal/guard":     {"penstock/cmd/pipeline/internal/flags", "penstock/engine/supervise"},
	"penstock/cmd/pipeline/internal/letters":   {"penstock/dlq"},
	"penstock/cmd/pipeline/internal/lookcmd":   {"penstock/cmd/pipeline/internal/app", "penstock/cmd/pipeline/internal/flags", "penstock/cmd/pipeline/internal/render", "penstock/cmd/pipeline/internal/socket", "penstock/cmd/pipeline/internal/where", "penstock/cmd/pipeline/internal/wire", "penstock/engine"},
	"penstock/cmd/pipeline/internal/render":    {"penstock/engine/redact"},
	"penstock/cmd/pipeline/internal/runcmd":    {"penstock/internal/format", "penstock/internal/hint", "penstock/cmd/pipeline/internal/app", "penstock/cmd/pipeline/internal/flags", "penstock/cmd/pipeline/internal/guard", "penstock/cmd/pipeline/internal/render", "penstock/cmd/pipeline/internal/showcmd", "penstock/cmd/pipeline/internal/socket", "penstock/cmd/pipeline/internal/where", "penstock/cmd/pipeline/internal/wire", "penstock/cmd/pipeline/internal/words", "penstock/engine", "penstock/internal/nofollow", "penstock/internal/userfile", "penstock/telemetry", "penstock/internal/counted", "penstock/internal/argsfile"},
	"penstock/cmd/pipeline/internal/shipped":   {"penstock/cmd/pipeline/internal/flags", "penstock/engine", "penstock/stages", "penstock/examples"},
	"penstock/cmd/pipeline/internal/showcmd":   {"penstock/cmd/pipeline/internal/app", "penstock/cmd/pipeline/internal/flags", "penstock/cmd/pipeline/internal/render", "penstock/engine", "penstock/internal/hint", "penstock/internal/userfile", "penstock/telemetry"},
	"penstock/cmd/pipeline/internal/socket":    {"penstock/internal/crowd", "penstock/cmd/pipeline/internal/letters", "penstock/cmd/pipeline/internal/render", "penstock/cmd/pipeline/internal/wire", "penstock/cmd/pipeline/internal/words", "penstock/engine", "penstock/dlq", "penstock/internal/openfiles"},
	"penstock/cmd/pipeline/internal/where":     {"penstock/cmd/pipeline/internal/app", "penstock/cmd/pipeline/internal/flags", "penstock/cmd/pipeline/internal/socket", "penstock/cmd/pipeline/internal/words", "penstock/engine", "penstock/internal/hint"},
	"penstock/cmd/pipeline/internal/wire":      {"penstock/cmd/pipeline/internal/render", "penstock/engine"},
	"penstock/cmd/pipeline/internal/words":     {"penstock/engine", "penstock/internal/hint"},
	"penstock/tests":                           {"penstock"},
}

// kept says which packages of others only some of ours may import: who else
// needs what they do asks these.
var kept = map[string][]string{
	"github.com/nats-io/nats-server":      {"penstock/engine/broker", "penstock/cmd/pipeline/cli", "penstock/tests", "penstock/internal/testing"},
	"github.com/nats-io/nats.go":          {"penstock/engine/broker", "penstock/engine/channel", "penstock/dlq", "penstock/stages/jetstream", "penstock/tests", "penstock/internal/testing"},
	"penstock/internal/testing":           {"penstock/internal/testing", "penstock/stages/conformance", "penstock/tests"},
	"github.com/dgraph-io/badger":         {"penstock/checkpoint"},
	"github.com/alecthomas/kong":          {"penstock/cmd/pipeline/cli", "penstock/cmd/pipeline/internal"},
	"github.com/prometheus/client_golang": {"penstock/telemetry"},
	"net/http":                            {"penstock/cmd/pipeline/internal/socket", "penstock/telemetry", "penstock/tests/watched"},
	"go.opentelemetry.io":                 {"penstock/telemetry"},
	"github.com/klauspost/compress":       {"penstock/engine/frame", "penstock/stages"},
	"github.com/sony/gobreaker":           {"penstock/engine/breaker"},
	"github.com/fxamacker/cbor":           {"penstock/engine/internal/values", "penstock/engine/cborjson"},
	"github.com/go-json-experiment":       {"penstock/engine/internal/values"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	packages := list(t)
	if len(packages) < 10 {
		t.Fatalf("only %d packages listed", len(packages))
	}
	for _, p := range packages {
		may, found := rulesOf(p.ImportPath)
		if !found {
			t.Errorf("%s: no rule says what it may import: add one to allowed", p.ImportPath)
		}
		for _, imported := range p.Imports {
			if within(imported, "penstock") && !within(imported, p.ImportPath) && !slices.ContainsFunc(may, func(m string) bool { return within(imported, m) }) {
				t.Errorf("%s imports %s: allowed are %v", p.ImportPath, imported, may)
			}
			for path, users := range kept {
				if within(imported, path) && !slices.ContainsFunc(users, func(u string) bool { return within(p.ImportPath, u) }) {
					t.Errorf("%s imports %s: only %v do", p.ImportPath, imported, users)
				}
			}
		}
	}
}

// A program that serves the control socket links neither the parser of command lines nor what shows a
// pipeline in a browser.
func TestControlLinksNoCommandLine(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "penstock/cmd/pipeline/control").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	linked := strings.Fields(string(out))
	if !slices.Contains(linked, "penstock/cmd/pipeline/internal/socket") {
		t.Fatalf("%d packages, and the socket is not among them", len(linked))
	}
	for _, path := range linked {
		for _, heavy := range []string{"github.com/alecthomas/kong", "penstock/telemetry", "github.com/prometheus", "go.opentelemetry.io/otel/sdk"} {
			if within(path, heavy) {
				t.Errorf("it links %s", path)
			}
		}
	}
}

func rulesOf(path string) (may []string, found bool) {
	longest := ""
	for prefix, rule := range allowed {
		if within(path, prefix) && len(prefix) > len(longest) {
			longest, may, found = prefix, rule, true
		}
	}
	return may, found
}

func within(path, prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") }

func list(t *testing.T) (packages []goPackage) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "penstock/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p goPackage
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages
		case err != nil:
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
}
