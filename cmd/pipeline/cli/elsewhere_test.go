package cli

import (
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/internal/format"
)

// looks are the verbs that look into a directory, and change nothing.
var looks = [][]string{
	{"state", "worker"}, {"events"}, {"doctor"}, {"doctor", "--json"},
	{"dlq", "list"}, {"dlq", "export"}, {"dlq", "show", "worker.0:generator.0:3"}, {"dlq", "replay", "--all", "--dry-run"},
}

// snapshot is everything that can be seen of a directory from outside.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			tree[path] = fmt.Sprint(info.Mode(), info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return tree
}

// mustLeaveNothing runs all that looks, and returns what each said.
func mustLeaveNothing(t *testing.T, c command, dir string, more ...string) map[string]result {
	t.Helper()
	said := map[string]result{}
	before := snapshot(t, filepath.Dir(dir))
	for _, look := range looks {
		args := append(append(append([]string{}, look...), "--dir", dir), more...)
		said[strings.Join(look, " ")] = c.run(args...)
		after := snapshot(t, filepath.Dir(dir))
		for path := range after {
			if before[path] != after[path] {
				t.Errorf("%v: %s was %q, and is %q", look, path, before[path], after[path])
			}
		}
		if !maps.Equal(before, after) {
			t.Fatalf("%v changed the directory", look)
		}
	}
	return said
}

func TestLookingLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	root := t.TempDir()
	empty, stopped := filepath.Join(root, "empty"), filepath.Join(root, "stopped")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{empty, filepath.Join(root, "missing")} {
		for look, r := range mustLeaveNothing(t, c, dir) {
			if r.code == app.ExitOK || r.code == app.ExitUsage {
				t.Errorf("%s of %s: exit %d\n%s%s", look, dir, r.code, r.stdout, r.err)
			}
		}
	}
	if r := c.run("run", "--rate=1ms", "--beats=40", "--dir", stopped); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	for look, r := range mustLeaveNothing(t, c, stopped) {
		if r.code != app.ExitOK && !strings.HasPrefix(look, "dlq show") {
			t.Errorf("%s: exit %d\n%s%s", look, r.code, r.stdout, r.err)
		}
	}
	// Without its channels and without saying where they are, as an older build left it.
	for _, part := range []string{"jetstream", "penstock.json"} {
		if err := os.RemoveAll(filepath.Join(stopped, part)); err != nil {
			t.Fatal(err)
		}
	}
	for look, r := range mustLeaveNothing(t, c, stopped) {
		if r.code == app.ExitOK || !strings.Contains(r.err, "--nats") || strings.Contains(r.stdout+r.err, "--fresh") {
			t.Errorf("%s: exit %d\n%s%s", look, r.code, r.stdout, r.err)
		}
	}
}

func TestADirectoryKnowsWhereItsChannelsAre(t *testing.T) {
	t.Parallel()
	host := startServer(t)
	other := startServer(t)
	login := "nats://user:secret@"
	c := newCommand(t)
	dir := filepath.Join(t.TempDir(), "data")
	run := c.run("run", "--rate=1ms", "--beats=40", "--dir", dir, "--nats", login+host)
	if run.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", run.code, run.err)
	}
	mustContain(t, "the end of the run", run.err, "pipeline dlq list --dir "+dir+" --nats nats://"+host)
	data, err := os.ReadFile(filepath.Join(dir, "penstock.json"))
	if err != nil || strings.Contains(string(data), "secret") || strings.Contains(string(data), "user") {
		t.Errorf("%v\n%s", err, data)
	}
	for look, r := range mustLeaveNothing(t, c, dir) {
		if r.code == app.ExitOK || !strings.Contains(r.err, "runs on nats://"+host+": name that server with --nats") || strings.Contains(r.stdout+r.err, "--fresh") {
			t.Errorf("%s without the server: exit %d\n%s%s", look, r.code, r.stdout, r.err)
		}
	}
	for look, r := range mustLeaveNothing(t, c, dir, "--nats", login+other) {
		if r.code == app.ExitOK || !strings.Contains(r.err, "runs on nats://"+host) {
			t.Errorf("%s on another server: exit %d\n%s%s", look, r.code, r.stdout, r.err)
		}
	}
	for look, r := range mustLeaveNothing(t, c, dir, "--nats", login+host) {
		if r.code != app.ExitOK && !strings.HasPrefix(look, "dlq show") {
			t.Errorf("%s: exit %d\n%s%s", look, r.code, r.stdout, r.err)
		}
	}
	for _, args := range [][]string{{"run"}, {"run", "--fresh"}, {"repair"}, {"dlq", "discard", "--all", "--yes"}} {
		r := c.run(append(args, "--dir", dir)...)
		if r.code == app.ExitOK || !strings.Contains(r.err, "runs on nats://"+host+": name that server with --nats") {
			t.Errorf("%v without the server: exit %d\n%s", args, r.code, r.err)
		}
		if _, err := os.Stat(filepath.Join(dir, "jetstream")); err == nil {
			t.Fatalf("%v made an embedded server's directory", args)
		}
	}
}

func TestChannelsInTheDirectoryAreNotLookedForElsewhere(t *testing.T) {
	t.Parallel()
	host := startServer(t)
	c := newCommand(t)
	dir := filepath.Join(t.TempDir(), "data")
	if r := c.run("run", "--rate=1ms", "--beats=40", "--dir", dir); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	url := "nats://user:secret@" + host
	looked := mustLeaveNothing(t, c, dir, "--nats", url)
	looked["run"] = c.run("run", "--dir", dir, "--nats", url)
	for look, r := range looked {
		if r.code == app.ExitOK || !strings.Contains(r.err, "in the directory itself: leave out --nats") {
			t.Errorf("%s: exit %d\n%s%s", look, r.code, r.stdout, r.err)
		}
	}
}

func TestADirectoryOfANewerVersionIsNotCalledDamaged(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	dir := filepath.Join(t.TempDir(), "data")
	if r := c.run("run", "--rate=1ms", "--beats=40", "--dir", dir); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	before := fmt.Sprintf(`{"format": %d, "channels": {"of": "another kind"}`, format.Directory+1)
	sum := crc32.Checksum([]byte(before), crc32.MakeTable(crc32.Castagnoli))
	newer := fmt.Sprintf("%s,\n  \"sum\": \"%08x\"\n}\n", before, sum)
	if err := os.WriteFile(filepath.Join(dir, "penstock.json"), []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	said := mustLeaveNothing(t, c, dir)
	for _, verb := range []string{"run", "run --fresh", "repair", "dlq discard --all --yes", "dlq replay --all"} {
		said[verb] = c.run(append(strings.Fields(verb), "--dir", dir)...)
	}
	for verb, r := range said {
		if r.code == app.ExitOK || !strings.Contains(r.err, "newer version") || strings.Contains(r.stdout+r.err, "damaged") ||
			strings.Contains(r.err, "with --fresh") || strings.Contains(r.stdout, "repair --dir") {
			t.Errorf("%s: exit %d\n%s%s", verb, r.code, r.stdout, r.err)
		}
	}
}
