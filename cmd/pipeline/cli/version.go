package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/nats-io/nats-server/v2/server"

	"penstock/cmd/pipeline/internal/app"
)

// versionCmd shows versions.
type versionCmd struct{}

// Run shows them.
func (versionCmd) Run(a *app.Invocation) error {
	module, revision := "unknown", "unknown"
	own := "" // of a program in another module
	if info, ok := debug.ReadBuildInfo(); ok {
		module, revision = buildOf(info)
		if info.Main.Path != penstock && info.Main.Path != "" {
			own = fmt.Sprintf("%-12s %s\n", a.Name(), module)
			module = dependency(info, penstock)
		}
	}
	_, err := fmt.Fprintf(a.Stdout, "%spenstock     %s\nrevision     %s\ngo           %s %s/%s\nnats-server  %s\n",
		own, module, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH, server.VERSION)
	return err
}

// penstock is the module that this package belongs to.
const penstock = "penstock"

// dependency is the version of a module that the program is built with.
func dependency(info *debug.BuildInfo, path string) string {
	for _, m := range info.Deps {
		if m.Path != path {
			continue
		}
		if m.Replace != nil {
			return "(replaced by " + m.Replace.Path + ")"
		}
		return m.Version
	}
	return "unknown"
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
