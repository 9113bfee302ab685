package runcmd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/internal/argsfile"
	"penstock/internal/format"
)

func TestWriteFileReplacesAsAWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"long text", "short"} {
		if err := writeFile([]string{file, link}[i], []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file)
		info, _ := os.Lstat(file)
		if err != nil || string(data) != text || info.Mode() != 0o640 {
			t.Errorf("%q, %v, %v", data, err, info)
		}
	}
	if target, err := os.Readlink(link); err != nil || target != file {
		t.Errorf("the link is %q, %v", target, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := writeFile(os.DevNull, []byte("x"), 0o640); err != nil {
		t.Errorf("device: %v", err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("the device is %v, %v", info, err)
	}
	if err := writeFile(filepath.Join(dir, "none", "file"), nil, 0o640); err == nil {
		t.Error("no error without a directory")
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := arguments{{Name: "FILE", Value: []string{"a", "b"}}, {Name: "--ext", Value: []string{".go"}}}
	other := arguments{{Name: "FILE", Value: nil}, {Name: "--ext", Value: []string{".go"}}}
	quoted := arguments{{Name: "FILE", Value: []string{"a b", "it's"}}, {Name: "--ext", Value: []string(nil)}, {Name: "--beats", Value: 5}}
	if list, err := quoted.typed(); err != nil || !slices.Equal(list, []string{`FILE 'a b' 'it'\''s'`, "no --ext", "--beats 5"}) {
		t.Errorf("typed: %q, %v", list, err)
	}
	for _, step := range []struct {
		arguments arguments
		resumed   bool
		refused   string // with the earlier arguments, as they are typed
	}{
		{first, true, ""}, // a run that something else began
		{first, true, ""},
		{other, true, "(FILE a b)"},
		{first, true, ""},
		{other, false, ""},
		{first, true, "(no FILE)"},
	} {
		err := step.arguments.check(dir, step.resumed)
		if (err != nil) != (step.refused != "") {
			t.Fatalf("%+v: %v", step, err)
		}
		if err != nil && (app.ExitCode(err) != app.ExitUsage || !strings.Contains(err.Error(), step.refused) || strings.Contains(err.Error(), "--ext")) {
			t.Errorf("%+v: exit %d, %v", step, app.ExitCode(err), err)
		}
	}
}

// Damage is no other arguments, which a person could not give again.
func TestDamagedArgumentsAreCalledThat(t *testing.T) {
	t.Parallel()
	now := arguments{{Name: "--beats", Value: 5}}
	sound := string(argsfile.Encode([]byte(`[{"name":"--beats","value":7}]`)))
	for _, damaged := range []string{"", "[{", "\x00\x91", strings.Replace(sound, "7", "5", 1), strings.Replace(sound, `"format":2`, `"format":3`, 1)} {
		dir := t.TempDir()
		path := filepath.Join(dir, argsfile.Name)
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		err := now.check(dir, true)
		if err == nil || !strings.Contains(err.Error(), path+" is damaged") || strings.Contains(err.Error(), "--fresh") || app.ExitCode(err) == app.ExitUsage {
			t.Errorf("%q: %v", damaged, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := now.check(dir, true); err != nil {
			t.Errorf("%q, removed: %v", damaged, err)
		}
	}
}

func TestArgumentsOfOtherBuilds(t *testing.T) {
	t.Parallel()
	now := arguments{{Name: "--beats", Value: 5}}
	newer := []byte(`{"format":3,"arguments":[],"more":1`)
	newer = fmt.Appendf(newer, `,"sum":%q}`, format.Sum(newer))
	for text, refused := range map[string]string{
		`[{"name":"--beats","value":5}]`: "",
		`[{"name":"--beats","value":7}]`: "(--beats 7)",
		string(newer):                    "written by a newer version",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, argsfile.Name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := now.check(dir, true)
		if (err != nil) != (refused != "") || err != nil && !strings.Contains(err.Error(), refused) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
