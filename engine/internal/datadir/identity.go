package datadir

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"penstock/checkpoint"
)

// Identity ties a data directory to the channels it belongs to.
type Identity struct {
	Pipeline string    `json:"pipeline"`
	ID       string    `json:"id"`
	Created  time.Time `json:"created"`
}

const identityNote = "identity"

// NewIdentity is that of a new directory.
func NewIdentity(pipeline string) Identity {
	return Identity{Pipeline: pipeline, ID: rand.Text(), Created: time.Now().UTC()}
}

// ReadIdentity reads it from the store of the directory.
func ReadIdentity(store *checkpoint.Store) (id Identity, found bool, err error) {
	data, found, err := store.Note(identityNote)
	if err == nil && found {
		err = json.Unmarshal(data, &id)
	}
	if err != nil {
		return id, false, fmt.Errorf("read the identity of the data directory: %w", err)
	}
	return id, found, nil
}

// WriteIdentity keeps it there.
func WriteIdentity(store *checkpoint.Store, id Identity) error {
	data, err := json.Marshal(id)
	if err == nil {
		err = store.PutNote(identityNote, data)
	}
	if err != nil {
		return fmt.Errorf("write the identity of the data directory: %w", err)
	}
	return nil
}
