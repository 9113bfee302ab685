package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/runcmd"
)

const logged = `{"logged":118,"fizz":31,"buzz":16,"fizzbuzz":8,"value":63}` + "\n"

func TestRunWithoutANameIsFizzbuzz(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	report := filepath.Join(t.TempDir(), "report.json")
	if r := c.run("run", "--rate", "1ms", "--beats", "120", "--report", report); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	} else {
		mustContain(t, "the log", r.err, "msg=running", "msg=complete", `msg="summary of all runs since the fresh start" stage=worker in=240 out=119`, "msg=FizzBuzz")
	}
	checkFizzbuzzReport(t, report)
	for stage, want := range map[string]string{"logger": logged, "generator": `{"next":120}` + "\n", "worker": `{"credit":1,"done":119}` + "\n"} {
		if r := c.run("state", stage); r.code != app.ExitOK || r.stdout != want {
			t.Errorf("state %s: exit %d, %q, want %q\n%s", stage, r.code, r.stdout, want, r.err)
		}
	}
	if r := c.run("run", "fizzbuzz", "--rate=1", "--beats=30"); r.code != app.ExitFailed || !strings.Contains(r.err, "pipeline dlq replay --all") || !strings.Contains(r.err, "--discard-letters") {
		t.Errorf("with letters left: exit %d\n%s", r.code, r.err)
	}
	if r := c.run("dlq", "discard", "--all", "--yes"); r.code != app.ExitOK {
		t.Errorf("discard: exit %d\n%s", r.code, r.err)
	}
	r := c.run("run", "fizzbuzz", "--rate=1", "--beats=30", "--no-faults", "--report=-", "--log-level=warn")
	var again runcmd.Report
	if err := json.Unmarshal([]byte(r.stdout), &again); r.code != app.ExitOK || err != nil || !again.Completed || again.Stages[3].In != 30 || again.Stages[3].Panics != 0 {
		t.Errorf("anew: exit %d, %v, %q", r.code, err, r.stdout)
	}
	if r.err != "" {
		t.Errorf("at level warn a run without incidents said\n%s", r.err)
	}
}

func checkFizzbuzzReport(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var report runcmd.Report
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	if report.Pipeline != "fizzbuzz" || !report.Completed || report.ElapsedSeconds <= 0 || report.Exit != 0 || report.Error != "" {
		t.Errorf("report %s", data)
	}
	want := [][4]uint64{{120, 1, 1, 0}, {120, 1, 1, 0}, {119, 3, 3, 1}, {0, 3, 3, 1}}
	for i, s := range report.Stages {
		if got := [4]uint64{s.Out, s.Restarts, s.Panics, s.DeadLetters}; got != want[i] {
			t.Errorf("%s: out, restarts, panics, dead letters %v, want %v", s.Name, got, want[i])
		}
	}
	mustContain(t, "the report", string(data), `"busy_seconds"`, `"elapsed_seconds"`)
}

func TestRunStoppedResumesAndFreshStartsOver(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	args := []string{"run", "--rate=1ms", "--beats=120"}
	first := c.start(args...)
	first.stderr.Await(t, "number=20\n")
	first.signals <- os.Interrupt
	if r := first.wait(); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	} else {
		mustContain(t, "the first log", r.err, "stopping gracefully", "stopped; the next run resumes from here")
	}

	other := c.run("run", "--rate=1ms", "--beats=60", "--log-format=json")
	if other.code != app.ExitUsage {
		t.Errorf("with other arguments: exit %d\n%s", other.code, other.err)
	}
	mustContain(t, "the refusal", other.err, "interrupted run", "--beats 120", "--fresh", "--dir")
	for line := range strings.Lines(other.err) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}

	second := c.run(args...)
	if second.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", second.code, second.err)
	}
	mustContain(t, "the second log", second.err, "resuming the run that was interrupted", "msg=complete")
	if r := c.run("state", "logger"); r.stdout != logged {
		t.Errorf("state %s%s", r.stdout, r.err)
	}

	third := c.start(append(args, "--discard-letters")...)
	third.stderr.Await(t, "number=20\n")
	third.signals <- os.Interrupt
	third.wait()
	mustContain(t, "the third log", third.stderr.String(), "starting from the beginning")
	if r := c.run("run", "--fresh", "--rate=1ms", "--beats=20"); r.code != app.ExitOK || strings.Contains(r.err, "resuming") {
		t.Errorf("fresh: exit %d\n%s", r.code, r.err)
	}
}

func TestRunInADirectoryInUse(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	first := c.start("run", "--rate=10ms", "--beats=100000")
	first.stderr.Await(t, "msg=running")
	report := filepath.Join(t.TempDir(), "report.json")
	r := c.run("run", "--report", report)
	if r.code != app.ExitFailed {
		t.Errorf("exit %d", r.code)
	}
	mustContain(t, "the error", r.err, "in use", c.dir("fizzbuzz"), "process "+strconv.Itoa(os.Getpid()), "another directory")
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, "the report", string(data), `"exit": 1`, `"stages": []`, `"completed": false`, "in use")
	first.signals <- os.Interrupt
	if r := first.wait(); r.code != app.ExitOK {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}

func TestRunWordcount(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	tree, output := t.TempDir(), filepath.Join(t.TempDir(), "counts.txt")
	for name, text := range map[string]string{"a.txt": "b a b\n", "sub/b.txt": "a\x9b b c\u202e", "c.go": "x x", "no\xff,such": "n"} {
		path := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if r := c.run("run", "wordcount", "--ext=txt,md", "--output", output, tree, filepath.Join(tree, "no\xff,such")); r.code != app.ExitOK {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	data, err := os.ReadFile(output)
	if want := "1 a\n1 a\x9b\n3 b\n1 c\u202e\n1 n\n"; err != nil || string(data) != want {
		t.Errorf("%q, %v, want %q", data, err, want)
	}

	state := func(args ...string) result {
		return c.run(append([]string{"state", "--pipeline=wordcount"}, args...)...)
	}
	want := `{"key":"a","state":1}` + "\n" +
		`{"key":"a` + "\ufffd" + `","key_bytes":"YZs=","state":1}` + "\n" +
		`{"key":"b","state":3}` + "\n" +
		`{"key":"c\u202e","state":1}` + "\n" +
		`{"key":"n","state":1}` + "\n"
	if r := state("count"); r.code != app.ExitOK || r.stdout != strings.Replace(want, "\ufffd", `\ufffd`, 1) {
		t.Errorf("exit %d, %q, want %q\n%s", r.code, r.stdout, want, r.err)
	}
	for key, want := range map[string]string{"b": "3\n", "a\x9b": "1\n"} {
		if r := state("count", "--key", key); r.code != app.ExitOK || r.stdout != want {
			t.Errorf("key %q: exit %d, %q, want %q\n%s", key, r.code, r.stdout, want, r.err)
		}
	}
	if r := state("count", "--key=x"); r.code != app.ExitFailed || r.stdout != "" || !strings.Contains(r.err, `no key "x"`) {
		t.Errorf("exit %d, %q\n%s", r.code, r.stdout, r.err)
	}
	if r := c.run("run", "wordcount", filepath.Join(tree, "none"), "--output", output); r.code != app.ExitUsage || !strings.Contains(r.err, "none") {
		t.Errorf("without the file: exit %d\n%s", r.code, r.err)
	}
}

func TestRunWordcountDoesNotReadItsOutput(t *testing.T) {
	t.Parallel()
	c := newCommand(t)
	tree := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(tree, link); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{tree, "--output", filepath.Join(tree, "counts.txt")},
		{tree, "--output", filepath.Join(link, "counts.txt")},
		{link, "--ext=.txt", "--output", filepath.Join(tree, "counts.txt")},
		{filepath.Join(tree, "x"), "--ext=.go", "--output", filepath.Join(link, "x")},
	} {
		if r := c.run(append([]string{"run", "wordcount"}, args...)...); r.code != app.ExitUsage || !strings.Contains(r.err, "--output") {
			t.Errorf("%q: exit %d\n%s", args, r.code, r.err)
		}
	}
	output := filepath.Join(tree, "counts.out")
	if r := c.run("run", "wordcount", tree, "--ext=.txt", "--output", output); r.code != app.ExitOK {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}
