//go:build unix

// Command make writes a data directory for testdata: it runs the pipeline of package golden in a process of its own,
// which kills itself in the middle, and packs what that has left. CONTRIBUTING.md says when.
//
//	go run ./tests/golden/make -o tests/golden/testdata/NAME.tar.gz
package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"penstock/engine"
	"penstock/tests/golden"
)

// What the process does: its source stops before a number, and its audit waits for a checkpoint at a sum and dies at
// another.
const (
	holdAt       = 400
	checkpointAt = 100
	dieAt        = 300
)

func main() {
	out := flag.String("o", "", "file to write")
	victim := flag.String("victim", "", "run in this directory until it dies; for the command itself")
	flag.Parse()
	var err error
	switch {
	case *victim != "":
		err = die(*victim)
	case *out == "":
		err = errors.New("name a file with -o")
	default:
		err = write(*out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// die runs the pipeline until it kills the process.
func die(dir string) error {
	var p *engine.Pipeline
	p = golden.New(golden.Hooks{
		Emit: func(ctx context.Context, number uint64) error {
			if number < holdAt {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		},
		Audit: func(taken uint64) {
			switch taken {
			case checkpointAt:
				for began := p.Status().Checkpoint.Taken; p.Status().Checkpoint.Taken < began+2; {
					time.Sleep(time.Millisecond)
				}
			case dieAt:
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		},
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := p.Run(ctx, engine.Config{Dir: dir, CheckpointInterval: 5 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	return fmt.Errorf("it was to be killed, and ended: %w", err)
}

func write(out string) error {
	dir, err := os.MkdirTemp("", "golden-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	said, err := exec.Command(self, "-victim", data).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		return fmt.Errorf("the process did not kill itself: %w\n%s", err, said)
	}
	return pack(data, out)
}

// pack writes the files of a directory. Those of Badger are large and nearly empty, which compression takes away.
func pack(dir, out string) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	zipped, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, zipped.Close()) }()
	archive := tar.NewWriter(zipped)
	defer func() { err = errors.Join(err, archive.Close()) }()
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() && !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o700})
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err = archive.Write(data)
		return err
	})
}
