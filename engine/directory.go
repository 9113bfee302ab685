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
)

// ErrLocked says that another process uses the data directory.
var ErrLocked = errors.New("the data directory is in use")

// directory is a locked data directory.
type directory struct {
	path string
	lock *flock.Flock
}

// openDirectory creates and locks a data directory. nats-server takes no lock
// of its own: two servers on the same files would destroy them.
func openDirectory(path string) (*directory, error) {
	if path == "" {
		return nil, errors.New("engine: Config.Dir is empty: name a data directory")
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("create the data directory: %w", err)
	}
	d := &directory{path: path, lock: flock.New(filepath.Join(path, "lock"), flock.SetPermissions(0o600))}
	locked, err := d.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data directory %s: %w", path, err)
	}
	if !locked {
		return nil, fmt.Errorf("%w: %s is locked by process %s; stop it, or name another directory", ErrLocked, path, d.owner())
	}
	if err := os.WriteFile(d.pidFile(), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		_ = d.lock.Unlock()
		return nil, fmt.Errorf("write %s: %w", d.pidFile(), err)
	}
	return d, nil
}

// openExisting locks a data directory that must be there.
func openExisting(path string) (*directory, error) {
	if _, err := os.Stat(filepath.Join(path, "checkpoints")); err != nil {
		return nil, fmt.Errorf("%s is not a data directory: %w", path, err)
	}
	return openDirectory(path)
}

func (d *directory) pidFile() string     { return filepath.Join(d.path, "pid") }
func (d *directory) broker() string      { return filepath.Join(d.path, "jetstream") }
func (d *directory) inflight() string    { return filepath.Join(d.path, "in-flight") }
func (d *directory) checkpoints() string { return filepath.Join(d.path, "checkpoints") }

func (d *directory) owner() string {
	data, err := os.ReadFile(d.pidFile())
	if err != nil {
		return "(unknown)"
	}
	return strings.TrimSpace(string(data))
}

func (d *directory) close() {
	_ = os.Remove(d.pidFile())
	_ = d.lock.Close()
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
