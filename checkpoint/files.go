package checkpoint

import (
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"penstock/checkpoint/internal/disk"
	"penstock/checkpoint/internal/mend"
)

// IsFile says that a name in the directory of a store is one that Badger or the store
// gives to a file: a directory there would be taken for it.
func IsFile(name string) bool {
	return slices.Contains([]string{".sst", ".vlog", ".mem"}, filepath.Ext(name)) ||
		slices.Contains([]string{
			badger.ManifestFilename, "MANIFEST-REWRITE", badger.KeyRegistryFileName, "REWRITE-KEYREGISTRY", "LOCK", "DISCARD",
			lockName, disk.ReserveName, mend.NewestTableName,
		}, name)
}
