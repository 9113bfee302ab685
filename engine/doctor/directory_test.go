package doctor_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/engine/doctor"
	"penstock/engine/inspect"
	"penstock/internal/testing/patient"
)

// As a crash of an older build or a damaged disk leaves it.
func TestADamagedDescriptorIsMended(t *testing.T) {
	t.Parallel()
	for _, from := range patient.Images(t) {
		path := filepath.Join(from.Dir, "penstock.json")
		if err := os.WriteFile(path, []byte(`{"format": `), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := patient.GoOn(t, from.Dir); err == nil || !strings.Contains(err.Error(), "see doctor.Examine") {
			t.Fatalf("%s: %v", from.Name, err)
		}
		done, err := doctor.Repair(t.Context(), patient.Config(from.Dir).ToInspect())
		if err != nil || !done.Mendable || len(done.Steps) != 1 {
			t.Fatalf("%s: %+v, %v", from.Name, done, err)
		}
		if err := patient.GoOn(t, from.Dir); err != nil {
			t.Fatalf("%s: %v", from.Name, err)
		}
		if err := patient.Check(t, from.Dir); err != nil {
			t.Errorf("%s: %v", from.Name, err)
		}
		if data, err := os.ReadFile(path); err != nil || !strings.Contains(string(data), `"format": 2`) {
			t.Errorf("%s: the run wrote %q, %v", from.Name, data, err)
		}
	}
}

func TestALinkInADataDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"lock", "pid", "in-flight", "in-flight.new", "penstock.json", "starting-over", "checkpoints/newest-table",
		"jetstream/server.lock", "jetstream/jetstream/$G/streams/examined+sums/meta.inf", "checkpoints/000099.sst"} {
		dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "precious")
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Join(dir, "checkpoints"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(outside, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, path); err != nil {
			t.Skip(err)
		}
		run := patient.Examined(10, nil).Run(t.Context(), patient.Config(dir))
		_, examine := doctor.Examine(t.Context(), patient.Config(dir).ToInspect())
		_, inspect := inspect.Open(t.Context(), patient.Config(dir).ToInspect())
		for verb, err := range map[string]error{"run": run, "examine": examine, "inspect": inspect} {
			if err == nil || !strings.Contains(err.Error(), "symbolic link") || !strings.Contains(err.Error(), name) {
				t.Errorf("%s with a link %s: %v", verb, name, err)
			}
		}
		if data, err := os.ReadFile(outside); err != nil || string(data) != "precious" {
			t.Errorf("link %s: what it led to is %q, %v", name, data, err)
		}
	}
}

func TestADataDirectoryMayBeALink(t *testing.T) {
	t.Parallel()
	for _, from := range patient.Images(t) {
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(from.Dir, link); err != nil {
			t.Skip(err)
		}
		e, err := doctor.Examine(t.Context(), patient.Config(link).ToInspect())
		if err != nil || !e.Sound || len(e.Checked) < 4 {
			t.Errorf("%s: %+v, %v", from.Name, e, err)
		}
		if err := patient.GoOn(t, link); err != nil {
			t.Errorf("%s: %v", from.Name, err)
		}
	}
}
