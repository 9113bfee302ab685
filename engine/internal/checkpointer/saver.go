package checkpointer

import (
	"penstock/checkpoint"
	"penstock/engine/internal/view"
)

// Saver makes checkpoints durable, as [checkpoint.Store.Write] does.
type Saver interface {
	Save(updates []view.Update) error
	Size() int64 // bytes on disk
}

// Badger is the saver of a store.
type Badger struct{ Store *checkpoint.Store }

func (b Badger) Save(updates []view.Update) error {
	list := make([]checkpoint.Update, len(updates))
	for k, u := range updates {
		list[k] = checkpoint.Update{Instance: u.Vault.(*checkpoint.Instance), Checkpoint: u.Checkpoint, Changes: u.Keys}
	}
	return b.Store.Write(list)
}

func (b Badger) Size() int64 { return b.Store.Size() }

var _ Saver = Badger{}
