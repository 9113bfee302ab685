package cli

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

// contents are the files of a directory but its lock.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for path := range snapshot(t, dir) {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || filepath.Base(path) == "lock" {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = string(data)
	}
	return files
}

// lastOf is the end of each stream on a server.
func lastOf(t *testing.T, url string) map[string]uint64 {
	t.Helper()
	js := jetStreamOf(t, url)
	last := map[string]uint64{}
	streams := js.ListStreams(context.Background())
	for info := range streams.Info() {
		last[info.Config.Name] = info.State.LastSeq
	}
	if streams.Err() != nil {
		t.Fatal(streams.Err())
	}
	return last
}

// A run in the directory of another pipeline is refused before the server is asked, and the refusal offers nothing
// that would delete: neither the directory nor the run of that name on the server.
func TestTheDirectoryOfAnotherPipelineIsKept(t *testing.T) {
	t.Parallel()
	url := "nats://user:secret@" + startServer(t)
	c := newCommand(t)
	text := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(text, []byte("one two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sd, inside := filepath.Join(t.TempDir(), "sd"), filepath.Join(t.TempDir(), "inside")
	for _, args := range [][]string{
		{"run", "wordcount", text, "--output", filepath.Join(t.TempDir(), "counts"), "--dir", sd, "--nats", url},
		{"run", "wordcount", text, "--output", filepath.Join(t.TempDir(), "counts"), "--dir", inside},
		{"run", "fizzbuzz", "--rate=1ms", "--beats=40", "--dir", filepath.Join(t.TempDir(), "other"), "--nats", url},
	} {
		if r := c.run(args...); r.code != app.ExitOK {
			t.Fatalf("%v: exit %d\n%s", args, r.code, r.err)
		}
	}
	files, more, streams := contents(t, sd), contents(t, inside), lastOf(t, url)
	for _, place := range [][]string{{"--dir", sd, "--nats", url}, {"--dir", sd}, {"--dir", inside}, {"--dir", inside, "--nats", url}} {
		for _, fresh := range [][]string{nil, {"--fresh"}, {"--fresh", "--discard-letters"}} {
			r := c.run(append(append([]string{"run", "fizzbuzz", "--rate=1ms", "--beats=5"}, place...), fresh...)...)
			if r.code != app.ExitFailed || !strings.Contains(r.err, place[1]+" belongs to the pipeline") || !strings.Contains(r.err, "name another directory with --dir") ||
				strings.Contains(r.err, "with --fresh") {
				t.Errorf("%v %v: exit %d\n%s", place, fresh, r.code, r.err)
			}
		}
	}
	if !maps.Equal(contents(t, sd), files) || !maps.Equal(contents(t, inside), more) || !maps.Equal(lastOf(t, url), streams) {
		t.Error("something was changed")
	}
}

// A directory whose run was started over from another one: nothing that is advised, and no verb that changes letters,
// takes anything of the other run.
func TestTheRunOfAnotherDirectoryIsKept(t *testing.T) {
	t.Parallel()
	url := "nats://user:secret@" + startServer(t)
	c := newCommand(t)
	before, now := filepath.Join(t.TempDir(), "before"), filepath.Join(t.TempDir(), "now")
	run := []string{"run", "fizzbuzz", "--rate=1ms", "--beats=45", "--fresh", "--nats", url}
	for _, dir := range []string{before, now} {
		if r := c.run(append(run, "--dir", dir)...); r.code != app.ExitOK {
			t.Fatalf("exit %d\n%s", r.code, r.err)
		}
	}
	streams := lastOf(t, url)
	at := []string{"--dir", before, "--nats", url}
	for _, verb := range [][]string{{"run", "fizzbuzz"}, {"doctor"}, {"repair"}, {"dlq", "discard", "--all", "--yes"}, {"dlq", "replay", "--all"}, {"dlq", "export"}} {
		r := c.run(append(verb, at...)...)
		if r.code == app.ExitOK || strings.Contains(r.stdout+r.err, "--fresh") || !strings.Contains(r.stdout+r.err, "another data directory") || verb[0] == "doctor" && !strings.Contains(r.stdout, "another data directory ("+now+" on host ") {
			t.Errorf("%v: exit %d\n%s%s", verb, r.code, r.stdout, r.err)
		}
	}
	if !maps.Equal(lastOf(t, url), streams) {
		t.Error("the run was changed")
	}
	if list := mustList(t, c.run("dlq", "list", "--json", "--dir", now, "--nats", url)); len(list) != 2 {
		t.Errorf("letters %v", list)
	}
}
