package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gofrs/flock"

	"penstock/checkpoint"
	"penstock/internal/argsfile"
	"penstock/internal/nofollow"
	"penstock/internal/userfile"
)

// ErrLocked says that another process uses the data directory.
var ErrLocked = errors.New("the data directory is in use")

// Directory is a data directory, locked while this process uses it.
type Directory struct {
	Path    string // of the directory itself: no link is in its place
	About   Descriptor
	Damaged error        // its file cannot be read: nothing is known of where the channels are
	lock    *flock.Flock // nil: not locked
	owns    bool         // a run, or what changes something: it has written its pid
}

// At is the data directory of a path, not locked: nothing is known of it yet.
func At(path string) *Directory { return &Directory{Path: path} }

// Open creates and locks a data directory. nats-server takes no lock
// of its own: two servers on the same files would destroy them.
func Open(path string) (*Directory, error) {
	if path == "" {
		return nil, errors.New("engine: Config.Dir is empty: name a data directory")
	}
	place, err := Locate(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(place, 0o700); err != nil {
		return nil, fmt.Errorf("create the data directory: %w", err)
	}
	d, err := resolved(path)
	if err != nil {
		return nil, err
	}
	return d.opened(d.Own())
}

// Look locks a data directory that is only to be read: nothing is written in it.
func Look(path string) (*Directory, error) {
	d, err := resolved(path)
	if err != nil {
		return nil, err
	}
	if _, err := CheckOpenFiles(path, 0); err != nil {
		return nil, err
	}
	if Exists(d.lockFile()) { // else nothing has ever run there
		if err := d.take(os.O_RDONLY, (*flock.Flock).TryRLock); err != nil {
			return nil, err
		}
	}
	return d.opened(d.check())
}

// CheckOpenFiles refuses when the process may not open the files of the checkpoints
// and as many besides, and returns how many it needs. It comes before anything is locked or copied: with too few
// files a copy could not be removed again.
func CheckOpenFiles(path string, besides int) (needed int, err error) {
	place, err := Locate(path)
	if err != nil {
		return 0, err
	}
	return checkpoint.CheckOpenFiles(At(place).Checkpoints(), besides)
}

func (d *Directory) opened(err error) (*Directory, error) {
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func resolved(path string) (*Directory, error) {
	real, err := Locate(path)
	if err != nil {
		return nil, err
	}
	if _, err = os.Stat(real); err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	return At(real), nil
}

// Locate follows the links on the path of a data directory, which may not be there
// yet. It refuses those of other users, and those that lead to nothing: a disk may
// not be mounted.
func Locate(path string) (string, error) {
	place, err := userfile.Resolve(path)
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	if place.Dangling != "" {
		return "", fmt.Errorf("find the data directory: the symbolic link %s leads to %s, which does not exist: create that directory (or mount its disk), or remove the link", place.Dangling, place.Path)
	}
	return place.Path, nil
}

// take locks the directory: try is for this process alone, or with others that
// look. The flag says whether the file of the lock is made.
func (d *Directory) take(flag int, try func(*flock.Flock) (bool, error)) error {
	if err := nofollow.Check(d.lockFile()); err != nil {
		return fmt.Errorf("lock the data directory: %w", err)
	}
	lock := flock.New(d.lockFile(), flock.SetFlag(flag|nofollow.Flag), flock.SetPermissions(0o600))
	locked, err := try(lock)
	if err != nil {
		return fmt.Errorf("lock the data directory %s: %w", d.Path, err)
	}
	if !locked {
		return fmt.Errorf("%w: %s is locked by %s; stop it, or name another directory", ErrLocked, d.Path, d.owner())
	}
	d.lock = lock
	return nil
}

// Own makes this process the one that may change the directory.
func (d *Directory) Own() error {
	if d.lock != nil {
		_ = d.lock.Close()
		d.lock = nil
	}
	if err := d.take(os.O_CREATE|os.O_RDONLY, (*flock.Flock).TryLock); err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	if err := nofollow.WriteFile(d.pidFile(), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return fmt.Errorf("write the process ID: %w", err)
	}
	d.owns = true
	return nil
}

// check refuses a directory with something in it that the server or the store
// would follow or wait for, and one of a newer version.
func (d *Directory) check() error {
	if err := nofollow.CheckTree(d.Path, tree); err != nil {
		return fmt.Errorf("check what is in the data directory: %w", err)
	}
	return d.Describe()
}

// write replaces a small file, durably and at once.
func (d *Directory) write(path string, data []byte) error {
	file, err := nofollow.Create(path+".new", 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return errors.Join(os.Rename(file.Name(), path), Sync(d.Path))
}

func (d *Directory) lockFile() string { return filepath.Join(d.Path, "lock") }
func (d *Directory) pidFile() string  { return filepath.Join(d.Path, "pid") }

// Broker, Inflight and Checkpoints are the parts of the directory.
func (d *Directory) Broker() string      { return filepath.Join(d.Path, "jetstream") }
func (d *Directory) Inflight() string    { return filepath.Join(d.Path, "in-flight") }
func (d *Directory) Checkpoints() string { return filepath.Join(d.Path, "checkpoints") }

// Arguments is the file that the command keeps the arguments of the run in, for itself.
func (d *Directory) Arguments() string { return filepath.Join(d.Path, argsfile.Name) }

func (d *Directory) owner() string {
	data, err := nofollow.ReadFile(d.pidFile())
	pid, syntax := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || syntax != nil {
		return "another process, which only inspects it or is about to start"
	}
	return fmt.Sprintf("process %d", pid)
}

// Close lets go of the directory.
func (d *Directory) Close() {
	if d.owns {
		_ = os.Remove(d.pidFile())
	}
	if d.lock != nil {
		_ = d.lock.Close()
	}
}

// IsThere says whether anything in the directory is of a pipeline.
func (d *Directory) IsThere() bool {
	return slices.ContainsFunc([]string{d.Checkpoints(), d.Broker(), d.Inflight(), d.StartingOver()}, Exists)
}
