//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"penstock/cmd/pipeline/internal/app"
)

// openFiles says how many files a test binary that behaves as the command may open.
const openFiles = "PENSTOCK_TEST_OPEN_FILES"

func init() {
	limit, err := strconv.ParseUint(os.Getenv(openFiles), 10, 64)
	if err != nil {
		return // not asked for
	}
	few := syscall.Rlimit{Cur: limit, Max: limit}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		panic(err)
	}
}

// runWithFiles runs the command as a process that may open this many files.
func runWithFiles(t *testing.T, limit string, args ...string) (code int, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1", openFiles+"="+limit)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// Too few open files refuse a start, and each look; the number that the refusal names is enough.
func TestTooFewOpenFilesAreRefusedWithANumberThatIsEnough(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	enough := regexp.MustCompile(`may open (\d+) files at a time and needs (\d+): raise its limit \(ulimit -n (\d+) in a shell`)
	for _, verb := range []struct {
		args    string
		refused int
	}{
		{"run --rate=1ms --beats=20 --no-faults", app.ExitFailed},
		{"state worker", app.ExitFailed}, {"events", app.ExitFailed}, {"dlq list", app.ExitFailed}, {"doctor", app.ExitBlind}, {"repair", app.ExitBlind},
	} {
		args := append(strings.Fields(verb.args), "--dir", dir)
		code, said := runWithFiles(t, "20", args...)
		named := enough.FindStringSubmatch(said)
		if code != verb.refused || named == nil || named[1] != "20" || named[2] != named[3] {
			t.Fatalf("%s with 20 files: exit %d\n%s", verb.args, code, said)
		}
		if code, said := runWithFiles(t, named[3], args...); code != app.ExitOK {
			t.Errorf("%s with the %s files that it asked for: exit %d\n%s", verb.args, named[3], code, said)
		}
	}
}
