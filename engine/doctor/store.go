package doctor

import (
	"errors"
	"os"
	"path/filepath"

	"penstock/checkpoint"
	"penstock/engine/internal/datadir"
	"penstock/engine/internal/durability"
	"penstock/internal/counted"
	"penstock/internal/format"
)

// openStore reads every value of the checkpoints; nil when that is not possible.
func (l *inspection) openStore(d *datadir.Directory) (*checkpoint.Store, error) {
	if l.noStore {
		return nil, nil
	}
	store, err := checkpoint.Open(checkpoint.Config{Dir: d.Checkpoints(), Logger: l.x.log})
	if errors.Is(err, checkpoint.ErrCorrupt) {
		l.wrong("checkpoints", "%v", err)
		l.noStore = true
		l.dropSpare()
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	count, damages := store.CheckValues()
	for _, damage := range damages {
		if errors.Is(damage, format.ErrNewer) {
			return nil, errors.Join(damage, store.Close())
		}
		l.wrong("checkpoints", "%v", damage)
	}
	id, found, err := datadir.ReadIdentity(store)
	if err != nil || len(damages) > 0 {
		if err != nil && len(damages) == 0 {
			l.wrong("checkpoints", "%v", err)
		}
		l.noStore = true
		l.resetStore()
		return nil, store.Close()
	}
	l.check("checkpoints: %s", counted.Things(count, "value"))
	if l.lazy, err = durability.IsLazy(store); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	switch {
	case !found:
		l.note("checkpoints", "checkpoints carry no pipeline identity; the next run adopts them")
	case l.pipeline != "" && l.pipeline != id.Pipeline:
		l.wrong("directory", "the checkpoints belong to the pipeline %s, and the channels to %s", id.Pipeline, l.pipeline)
	default:
		l.pipeline, l.identity = id.Pipeline, id.ID
	}
	return store, nil
}

// resetStore makes checkpoints that begin before everything. Where a channel does
// not have everything any more, the next look refuses that.
func (l *inspection) resetStore() {
	for _, f := range l.fixes {
		if f.reset {
			return
		}
	}
	l.fixes = append(l.fixes, fix{
		reset: true,
		text:  "rebuild the checkpoints from the channels, which still hold everything needed; counters, events and counted attempts start from zero",
		apply: func(path string) error {
			return newStore(datadir.At(path).Checkpoints(), l.pipeline, l.identity)
		},
	})
}

// dropSpare makes the files anew that hold nothing, once: the tables are sound and
// Badger refuses them. If that is not it, new checkpoints are made.
func (l *inspection) dropSpare() {
	if l.x.spared {
		l.resetStore()
		return
	}
	l.x.spared = true
	l.fixes = append(l.fixes, fix{
		text:  "remove empty files of the checkpoints that are created again",
		apply: func(path string) error { return checkpoint.DropSpare(datadir.At(path).Checkpoints()) },
	})
}

func newStore(path, pipeline, id string) error {
	if pipeline == "" || id == "" {
		return errors.New("it is unknown which pipeline the directory belongs to")
	}
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	store, err := checkpoint.Open(checkpoint.Config{Dir: path})
	if err != nil {
		return err
	}
	made := datadir.NewIdentity(pipeline)
	made.ID = id
	return errors.Join(datadir.WriteIdentity(store, made), store.Close(), datadir.Sync(filepath.Dir(path)))
}
