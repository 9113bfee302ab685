//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/engine/faultpoint"
)

// The test binary is the victim, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && isChild(os.Args[1]) {
		runChild(os.Args[1], os.Args[2:])
	}
	os.Exit(m.Run())
}

// chaos runs the command and returns what it reports.
func chaos(t *testing.T, args ...string) (report, string) {
	t.Helper()
	var out bytes.Buffer
	file := filepath.Join(t.TempDir(), "report")
	code, err := command(t.Context(), append(args, "-dir", t.TempDir(), "-json", file), &out)
	if err != nil || code > 1 {
		t.Fatalf("the campaign failed: %v\n%s", err, out.String())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if (code == 1) != (r.Violated > 0) {
		t.Errorf("exit code %d with %d violated cycles", code, r.Violated)
	}
	return r, out.String()
}

// Every fault once, or with -short some of them.
func TestCampaign(t *testing.T) {
	seed := fmt.Sprint(time.Now().UnixNano() % 1_000_000)
	if s := os.Getenv("PENSTOCK_CHAOS_SEED"); s != "" {
		seed = s
	}
	faults, cycles := "all", len(faults())
	if testing.Short() {
		faults, cycles = "kill,broker-kill,flip", 3
	}
	r, out := chaos(t, "-seed", seed, "-faults", faults, "-cycles", fmt.Sprint(cycles), "-ids", "500", "-parallel", "4", "-away", "300ms")
	t.Logf("PENSTOCK_CHAOS_SEED=%s\n%s", seed, out)
	if r.Violated > 0 || r.Total.Exact+r.Total.Refused != cycles {
		t.Errorf("%d of %d cycles are violated", r.Violated, cycles)
	}
	if r.Total.Struck < cycles/2 {
		t.Errorf("only %d of %d faults happened", r.Total.Struck, cycles)
	}
}

// A power cut that loses nothing would prove nothing.
func TestPowerCutLosesWhatIsNotSynced(t *testing.T) {
	t.Parallel()
	if why := canMount(diskVolume, t.TempDir()); why != "" {
		t.Skip(why)
	}
	v, err := mountVolume(diskVolume, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.unmount(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"synced", "unsynced"} {
		f, err := os.Create(filepath.Join(v.at, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(name); err != nil {
			t.Fatal(err)
		}
		if name == "synced" {
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.cutPower(); err != nil {
		t.Fatal(err)
	}
	if err := v.powerUp(); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(v.at, "synced")); err != nil || string(data) != "synced" {
		t.Errorf("what was synced is %q, %v", data, err)
	}
	if data, _ := os.ReadFile(filepath.Join(v.at, "unsynced")); len(data) > 0 {
		t.Errorf("what was not synced is still there: %q", data)
	}
}

func TestOrdeals(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"kill":              "[kill]",
		"kill,pause+kill":   "[kill pause+kill]",
		"nothing":           "unknown fault",
		"kill+kill+kill":    "at most two",
		"power+disk-full":   "do not go together",
		"broker-kill+power": "do not go together",
	} {
		chosen, err := ordeals(list)
		got := fmt.Sprint(chosen)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", list, got, want)
		}
	}
	all, _ := ordeals("all")
	two, _ := ordeals("pairs")
	mix, _ := ordeals("mixed")
	if len(all) != len(faults()) || len(two) < 10*len(all) || len(mix) < len(all)*len(all) {
		t.Errorf("%d alone, %d pairs, %d mixed", len(all), len(two), len(mix))
	}
}

func TestEveryPointIsKilledAt(t *testing.T) {
	t.Parallel()
	c := &cycle{}
	// Only where there are dead letters.
	never := []string{faultpoint.ReplayFound, faultpoint.MidReplay, faultpoint.MidSettle, faultpoint.BeforeDivert, faultpoint.MidDivert}
	for _, point := range faultpoint.All() {
		if !slices.Contains(never, point) && !slices.Contains(ofAMove, point) && !slices.Contains(c.points(), point) {
			t.Errorf("nobody is killed at %s", point)
		}
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	var list []time.Duration
	for k := range 200 {
		list = append(list, time.Duration(200-k)*time.Millisecond)
	}
	if got, want := measure(list), (quantiles{200, 101, 199, 200}); got != want {
		t.Errorf("quantiles = %+v, want %+v", got, want)
	}
	if got := measure(nil); got != (quantiles{}) {
		t.Errorf("quantiles of nothing = %+v", got)
	}
}

func TestProgressOfAVictim(t *testing.T) {
	t.Parallel()
	c := &process{}
	c.hear("ready a=1 b=2")
	c.hear("progress a=1 b=3")
	if got := c.readyWith(); got["a"] != 1 || got["b"] != 2 {
		t.Errorf("ready with %v", got)
	}
	if at, found := c.firstCommitAfter(time.Time{}); !found || !at.Equal(c.progress[1].at) {
		t.Errorf("first commit at %v, %v", at, found)
	}
	if _, found := c.firstCommitAfter(time.Now()); found {
		t.Error("a commit in time to come")
	}
	if got := c.commitsAt(time.Now()); got["b"] != 3 {
		t.Errorf("commits = %v", got)
	}
}

func TestFlagsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-cycles", "0"}, {"extra"}, {"-faults", "none"}} {
		if code, err := command(context.Background(), args, &bytes.Buffer{}); err == nil || code != 2 {
			t.Errorf("%v: code %d, %v", args, code, err)
		}
	}
}
