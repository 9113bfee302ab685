package datadir

import (
	"slices"
	"strings"

	"penstock/checkpoint"
	"penstock/engine/broker"
	"penstock/internal/nofollow"
)

// tree says what belongs in a data directory besides files and directories of users.
var tree = nofollow.Tree{IsFile: isFile, IsDir: isDir, IsSocket: isSocket}

// isFile says that a name is of a file of the pipeline: a directory in its place would be taken for that.
func isFile(name string) bool {
	d := At("")
	if rest, found := strings.CutPrefix(name, d.Checkpoints()+"/"); found {
		return checkpoint.IsFile(rest)
	}
	if rest, found := strings.CutPrefix(name, d.Broker()+"/"); found {
		return broker.IsFile(rest)
	}
	name = strings.TrimSuffix(name, ".new")
	return slices.Contains([]string{d.lockFile(), d.pidFile(), d.DescriptorFile(), d.Inflight(), d.StartingOver(), d.Arguments()}, name)
}

// isDir says that a name is of a part of the directory that is a directory itself.
func isDir(name string) bool {
	d := At("")
	return slices.Contains([]string{d.Checkpoints(), d.Broker()}, name)
}

// isSocket says where the control socket is: .control has it while it is made.
func isSocket(name string) bool {
	return name == "control.sock" || strings.HasPrefix(name, ".control/")
}
