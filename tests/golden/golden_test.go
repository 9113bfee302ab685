package golden

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/engine/enginetest"
	"penstock/engine/inspect"
	"penstock/internal/testing/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// Each directory of testdata is sound, opens, goes on in the middle, and comes to the exact result.
func TestDirectoriesOfEarlierBuildsGoOn(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.tar.gz")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d directories, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".tar.gz"), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			unpack(t, file, dir)
			config := engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}
			if found, err := doctor.Examine(t.Context(), config.ToInspect()); err != nil || !found.Sound {
				t.Errorf("the doctor: %+v, %v", found, err)
			}
			mustBeInTheMiddle(t, dir)
			begun := uint64(0)
			enginetest.Run(t, New(Hooks{Audit: func(taken uint64) {
				if begun == 0 {
					begun = taken
				}
			}}), enginetest.In(dir))
			if begun == 0 || begun >= Numbers/2+1 {
				t.Errorf("it went on at sum %d", begun)
			}
			mustBeExact(t, dir)
			mustHaveLetters(t, config)
		})
	}
}

// A run that nothing happened to comes to the same result: it is not only what the directories happen to give.
func TestARunWithoutACrashIsTheSame(t *testing.T) {
	t.Parallel()
	config := engine.Config{Dir: filepath.Join(t.TempDir(), "data"), Logger: slog.New(slog.DiscardHandler)}
	enginetest.Run(t, New(Hooks{}), enginetest.In(config.Dir))
	mustBeExact(t, config.Dir)
	mustHaveLetters(t, config)
}

func mustBeInTheMiddle(t *testing.T, dir string) {
	t.Helper()
	place, audit := enginetest.State[Place](t, dir, "numbers")[""], enginetest.State[Audit](t, dir, "audit")[""]
	if place.Next == 0 || place.Next == Numbers || audit.Taken == 0 || audit.Taken > Numbers/2 {
		t.Errorf("the directory is not one of a run that died in the middle: %+v, %+v", place, audit)
	}
}

func mustBeExact(t *testing.T, dir string) {
	t.Helper()
	want := map[string]Total{}
	var audit, odds Audit
	for n := range uint64(Numbers) {
		if Rejected(n) || Panics(n) {
			continue
		}
		total := want[Key(n)]
		want[Key(n)] = Total{total.Count + 1, total.Sum + n}
		audit.Taken, audit.Sum = audit.Taken+1, audit.Sum+n
		if IsOdd(n) {
			odds.Taken, odds.Sum = odds.Taken+1, odds.Sum+n
		}
	}
	if got := enginetest.State[Total](t, dir, "totals"); !maps.Equal(got, want) {
		t.Errorf("totals are %v, want %v", got, want)
	}
	for stage, want := range map[string]Audit{"audit": audit, "odds": odds} {
		got := enginetest.State[Audit](t, dir, stage)[""]
		if got.Fired = 0; got != want { // a timer fires when its time comes
			t.Errorf("%s is %+v, want %+v", stage, got, want)
		}
	}
}

func mustHaveLetters(t *testing.T, config engine.Config) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), config.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer inspector.Close()
	queue, found, err := inspector.ReadDeadLetters(t.Context())
	if err != nil || !found {
		t.Fatalf("dead letters: %v, %v", found, err)
	}
	var got, want []string
	err = queue.Each(t.Context(), func(l dlq.Letter) error {
		value, err := json.Marshal(l.Value)
		got = append(got, fmt.Sprint(l.ID(), " ", l.Reason, " ", string(value)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(Numbers) {
		reason := dlq.ReasonRejected
		switch {
		case Rejected(n):
		case Panics(n):
			reason = dlq.ReasonPanic
		default:
			continue
		}
		data, err := engine.DefaultCodec[uint64]().Append(nil, n)
		if err != nil {
			t.Fatal(err)
		}
		value, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("totals.0:numbers.0:%d %s %s", n, reason, value))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("dead letters\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func unpack(t *testing.T, file, dir string) {
	t.Helper()
	packed, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	zipped, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(zipped)
	for {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, head.Name)
		if head.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o700)
		} else {
			var data []byte
			if data, err = io.ReadAll(archive); err == nil {
				err = os.WriteFile(path, data, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
