package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/nats-io/nats-server/v2/server"
)

// versionCmd shows versions.
type versionCmd struct{}

// Run shows them.
func (versionCmd) Run(a *app) error {
	module, revision := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		module, revision = buildOf(info)
	}
	_, err := fmt.Fprintf(a.stdout, "penstock     %s\nrevision     %s\ngo           %s %s/%s\nnats-server  %s\n",
		module, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH, server.VERSION)
	return err
}

func buildOf(info *debug.BuildInfo) (module, revision string) {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	module, revision = info.Main.Version, settings["vcs.revision"]
	if module == "" {
		module = "(devel)"
	}
	if revision == "" {
		revision = "unknown"
	}
	if settings["vcs.modified"] == "true" {
		revision += " (modified)"
	}
	return module, revision
}
