package checkpoint

import (
	"log/slog"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"penstock/checkpoint/internal/disk"
)

const (
	// MaxKey is the longest key, and the longest name of a note, in bytes.
	MaxKey = 64_000

	// MaxNote is the largest note, in bytes.
	MaxNote = pieceSize

	// MaxValue is the largest value of a key and the largest record, in bytes.
	MaxValue = 64 << 20

	// pieceSize is what fits into one entry; a larger value is cut into pieces of it.
	// Nine of them fit into one Badger transaction, and none comes near valueThreshold.
	pieceSize = 256 << 10

	// valueThreshold is where Badger would move a value out to its value log. That log
	// only shrinks after compactions, and a store that rewrites a few large values has
	// hardly any: it would grow without end. No entry of ours gets that large.
	valueThreshold = 1 << 20
)

// Config says where a store lives.
type Config struct {
	// Dir is the directory of the store, made when it is missing. Required. It must
	// hold nothing else.
	Dir string

	// Logger gets what Badger has to say, its information at level debug. Default:
	// nothing is logged.
	Logger *slog.Logger
}

// badgerOptions trades Badger's caches for the page cache: tables are not compressed,
// so their blocks and bloom filters are read where they are mapped, which costs no
// memory of ours however large the state is.
func badgerOptions(dir string, logger *slog.Logger) badger.Options {
	return badger.DefaultOptions(dir).
		WithLogger(badgerLog{logger}).
		WithMetricsEnabled(false).
		WithDetectConflicts(false).
		WithNumVersionsToKeep(1).
		WithSyncWrites(false).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		WithMemTableSize(disk.MemtableSize).
		WithNumMemtables(1).
		WithNumCompactors(2).
		WithValueThreshold(valueThreshold).
		WithValueLogFileSize(1 << 20)
}
