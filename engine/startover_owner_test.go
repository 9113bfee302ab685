package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/doctor"
	"penstock/engine/inspect"
	"penstock/engine/remedy"
	"penstock/tests/loopback"
)

// bytesOf is every file of a data directory but its lock.
func bytesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || entry.Name() == "lock" {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// streamsOn says what there is in each stream of a server.
func streamsOn(t *testing.T, js jetstream.JetStream) (list []string) {
	t.Helper()
	streams := js.ListStreams(t.Context())
	for info := range streams.Info() {
		list = append(list, fmt.Sprint(info.Config.Name, info.Created, info.Config.Metadata, info.State.FirstSeq, info.State.LastSeq))
	}
	if streams.Err() != nil {
		t.Fatal(streams.Err())
	}
	slices.Sort(list)
	return list
}

// taking runs another pipeline than "moved" or "thirty".
func taking(t *testing.T, config engine.Config) error {
	t.Helper()
	p := engine.New("taking")
	engine.Sink(p, "sink", engine.Source(p, "numbers", count(3, 1)), ignore[struct{}, uint64])
	return runBounded(t, p, config)
}

// mustNameTheOwner checks a refusal, and that what it advises deletes nothing.
func mustNameTheOwner(t *testing.T, what string, err error, dir, owner string) {
	t.Helper()
	if !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), fmt.Sprintf("%s belongs to the pipeline %q", dir, owner)) {
		t.Errorf("%s: %v", what, err)
	}
	if err != nil && !slices.Equal(remedy.Of(err), []remedy.Remedy{remedy.Dir}) {
		t.Errorf("%s: advises %v", what, remedy.Of(err))
	}
}

// The directory of another pipeline is refused, also by a run that starts over: nothing in it is touched.
func TestADirectoryOfAnotherPipelineIsNotTaken(t *testing.T) {
	t.Parallel()
	for _, fresh := range []bool{false, true} {
		t.Run(fmt.Sprintf("fresh=%t", fresh), func(t *testing.T) {
			t.Parallel()
			config := testConfig(t, t.TempDir())
			stopAfter(t, config, 100)
			before := bytesOf(t, config.Dir)
			other := config
			other.Fresh = fresh
			mustNameTheOwner(t, "embedded", taking(t, other), config.Dir, "moved")
			if !maps.Equal(bytesOf(t, config.Dir), before) {
				t.Error("the directory was changed")
			}
			if err := os.Remove(filepath.Join(config.Dir, "penstock.json")); err != nil { // as an old build, or a repair, leaves it
				t.Fatal(err)
			}
			mustNameTheOwner(t, "without its description", taking(t, other), config.Dir, "moved")
			if sums := committedState[uint64](t, config.Dir, "sums"); len(sums) == 0 {
				t.Error("the state is gone")
			}
			stopAfter(t, config, 100) // it resumes
		})
	}
}

// What is left of a directory whose checkpoints are gone is of its pipeline, too.
func TestWhatIsLeftOfADirectoryIsNotTaken(t *testing.T) {
	t.Parallel()
	leave := map[string]func(dir string) error{
		"the note of a start that was interrupted": func(dir string) error {
			return errors.Join(os.WriteFile(filepath.Join(dir, "starting-over"), []byte("moved"), 0o600), os.RemoveAll(filepath.Join(dir, "jetstream")))
		},
		"the channels": func(string) error { return nil },
	}
	for name, leave := range leave {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := testConfig(t, t.TempDir())
			stopAfter(t, config, 10)
			err := errors.Join(leave(config.Dir), os.RemoveAll(filepath.Join(config.Dir, "checkpoints")), os.Remove(filepath.Join(config.Dir, "penstock.json")))
			if err != nil {
				t.Fatal(err)
			}
			before := bytesOf(t, config.Dir)
			config.Fresh = true
			mustNameTheOwner(t, name, taking(t, config), config.Dir, "moved")
			if !maps.Equal(bytesOf(t, config.Dir), before) {
				t.Error("the directory was changed")
			}
		})
	}
}

// A directory of one pipeline meets a server that has runs of it and of the pipeline that is started: whose the
// directory is comes before what the server says.
func TestTheDirectoryIsCheckedBeforeTheServer(t *testing.T) {
	t.Parallel()
	server, js := external(t)
	on := func(dir string) engine.Config {
		config := testConfig(t, dir)
		config.NATS.URL = server.ClientURL()
		return config
	}
	first := on(t.TempDir())
	stopAfter(t, first, 10)
	if err := taking(t, on(t.TempDir())); err != nil {
		t.Fatal(err)
	}
	files, streams := bytesOf(t, first.Dir), streamsOn(t, js)
	for _, fresh := range []bool{false, true} {
		for where, url := range map[string]string{
			"on that server": first.NATS.URL, "without a server": "", "on one that is away": fmt.Sprintf("nats://127.0.0.1:%d", loopback.ForTest(t)),
		} {
			config := on(first.Dir)
			config.Fresh, config.NATS.URL = fresh, url
			mustNameTheOwner(t, where, taking(t, config), first.Dir, "moved")
		}
	}
	if !maps.Equal(bytesOf(t, first.Dir), files) || !slices.Equal(streamsOn(t, js), streams) {
		t.Error("the directory or the server was changed")
	}
	stopAfter(t, first, 10) // it resumes
}

// A run on the server that another directory has made is not deleted by what a refusal, or the doctor, advises.
func TestNoAdviceDeletesTheRunOfAnotherDirectory(t *testing.T) {
	t.Parallel()
	server, js := external(t)
	before, now := testConfig(t, t.TempDir()), testConfig(t, t.TempDir())
	before.NATS.URL, now.NATS.URL = server.ClientURL(), server.ClientURL()
	stopAfter(t, before, 10)
	fresh := now
	fresh.Fresh = true
	stopAfter(t, fresh, 10)
	refused := func(what string) {
		t.Helper()
		p := engine.New("moved")
		interruptible(p, 1<<40, func(context.Context, *struct{}, engine.Message[string]) error { return nil })
		err := runBounded(t, p, before)
		if !errors.Is(err, engine.ErrElsewhere) || slices.Contains(remedy.Of(err), remedy.Fresh) {
			t.Errorf("%s: %v", what, err)
		}
		e, err := doctor.Examine(t.Context(), before.ToInspect())
		if err != nil || e.Sound || !e.Elsewhere {
			t.Errorf("%s: the doctor finds %+v, %v", what, e, err)
		}
	}
	refused("all channels")
	if err := js.DeleteStream(t.Context(), "moved+numbers"); err != nil { // of the other run: the first that is opened
		t.Fatal(err)
	}
	refused("one channel is missing")

	inspector, err := inspect.Open(t.Context(), before.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer inspector.Close()
	if _, _, err := inspector.DeadLetters(t.Context()); !errors.Is(err, dlq.ErrForeign) || !strings.Contains(err.Error(), " on host ") {
		t.Errorf("the letters of the other directory: %v", err)
	}
}
