package engine

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"penstock/checkpoint"
	"penstock/internal/nofollow"
	"penstock/internal/userfile"
)

// ErrLocked says that another process uses the data directory.
var ErrLocked = errors.New("the data directory is in use")

// directory is a data directory, locked while this process uses it.
type directory struct {
	path    string // of the directory itself: no link is in its place
	about   descriptor
	damaged error        // its file cannot be read: nothing is known of where the channels are
	lock    *flock.Flock // nil: not locked
	owns    bool         // a run, or what changes something: it has written its pid
}

// openDirectory creates and locks a data directory. nats-server takes no lock
// of its own: two servers on the same files would destroy them.
func openDirectory(path string) (*directory, error) {
	if path == "" {
		return nil, errors.New("engine: Config.Dir is empty: name a data directory")
	}
	place, err := locate(path)
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
	return d.opened(d.own())
}

// lookInto locks a data directory that is only to be read: nothing is written in it.
func lookInto(path string) (*directory, error) {
	d, err := resolved(path)
	if err != nil {
		return nil, err
	}
	if exists(d.lockFile()) { // else nothing has ever run there
		if err := d.take(os.O_RDONLY, (*flock.Flock).TryRLock); err != nil {
			return nil, err
		}
	}
	return d.opened(d.check())
}

func (d *directory) opened(err error) (*directory, error) {
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func resolved(path string) (*directory, error) {
	real, err := locate(path)
	if err != nil {
		return nil, err
	}
	if _, err = os.Stat(real); err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	return &directory{path: real}, nil
}

// locate follows the links on the path of a data directory, which may not be there
// yet. It refuses those of other users, and those that lead to nothing: a disk may
// not be mounted.
func locate(path string) (string, error) {
	place, err := userfile.Resolve(path)
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	if place.Dangling != "" {
		return "", fmt.Errorf("find the data directory: the symbolic link %s leads to %s, which is not there: make that directory (or mount its disk), or remove the link", place.Dangling, place.Path)
	}
	return place.Path, nil
}

// take locks the directory: try is for this process alone, or with others that
// look. The flag says whether the file of the lock is made.
func (d *directory) take(flag int, try func(*flock.Flock) (bool, error)) error {
	if err := nofollow.Check(d.lockFile()); err != nil {
		return fmt.Errorf("lock the data directory: %w", err)
	}
	lock := flock.New(d.lockFile(), flock.SetFlag(flag|nofollow.Flag), flock.SetPermissions(0o600))
	locked, err := try(lock)
	if err != nil {
		return fmt.Errorf("lock the data directory %s: %w", d.path, err)
	}
	if !locked {
		return fmt.Errorf("%w: %s is locked by %s; stop it, or name another directory", ErrLocked, d.path, d.owner())
	}
	d.lock = lock
	return nil
}

// own makes this process the one that may change the directory.
func (d *directory) own() error {
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
		return fmt.Errorf("write the number of the process: %w", err)
	}
	d.owns = true
	return nil
}

// check refuses a directory with links in it, which the server and the store
// would follow, and one of a newer version.
func (d *directory) check() error {
	if err := nofollow.CheckTree(d.path); err != nil {
		return fmt.Errorf("look for links in the data directory: %w", err)
	}
	return d.describe()
}

// write replaces a small file, durably and at once.
func (d *directory) write(path string, data []byte) error {
	file, err := nofollow.Create(path+".new", 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return errors.Join(os.Rename(file.Name(), path), syncDirectory(d.path))
}

func (d *directory) lockFile() string    { return filepath.Join(d.path, "lock") }
func (d *directory) pidFile() string     { return filepath.Join(d.path, "pid") }
func (d *directory) broker() string      { return filepath.Join(d.path, "jetstream") }
func (d *directory) inflight() string    { return filepath.Join(d.path, "in-flight") }
func (d *directory) checkpoints() string { return filepath.Join(d.path, "checkpoints") }

func (d *directory) owner() string {
	data, err := os.ReadFile(d.pidFile())
	pid, syntax := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || syntax != nil {
		return "another process, which only looks into it or is about to run"
	}
	return fmt.Sprintf("process %d", pid)
}

// close lets go of the directory.
func (d *directory) close() {
	if d.owns {
		_ = os.Remove(d.pidFile())
	}
	if d.lock != nil {
		_ = d.lock.Close()
	}
}

// identity ties a data directory to the channels it belongs to.
type identity struct {
	Pipeline string    `json:"pipeline"`
	ID       string    `json:"id"`
	Created  time.Time `json:"created"`
}

const identityNote = "identity"

func newIdentity(pipeline string) identity {
	return identity{Pipeline: pipeline, ID: rand.Text(), Created: time.Now().UTC()}
}

func readIdentity(store *checkpoint.Store) (id identity, found bool, err error) {
	data, found, err := store.Note(identityNote)
	if err == nil && found {
		err = json.Unmarshal(data, &id)
	}
	if err != nil {
		return id, false, fmt.Errorf("read the identity of the data directory: %w", err)
	}
	return id, found, nil
}

func writeIdentity(store *checkpoint.Store, id identity) error {
	data, err := json.Marshal(id)
	if err == nil {
		err = store.PutNote(identityNote, data)
	}
	if err != nil {
		return fmt.Errorf("write the identity of the data directory: %w", err)
	}
	return nil
}
