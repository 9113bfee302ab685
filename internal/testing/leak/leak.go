package leak

import (
	"testing"

	"go.uber.org/goleak"
)

// Main is what TestMain does: it runs the tests, and fails when goroutines are left.
func Main(m *testing.M, more ...goleak.Option) { goleak.VerifyTestMain(m, ignored(more)...) }

// Find returns an error that names the goroutines that are left.
func Find() error { return goleak.Find(ignored(nil)...) }

// ignored starts with what Badger's dependencies start once per process and never stop.
func ignored(more []goleak.Option) []goleak.Option {
	return append(top("github.com/golang/glog.(*fileSink).flushDaemon", "go.opencensus.io/stats/view.(*worker).start"), more...)
}

// Refused are the goroutines that Badger leaves behind when it refuses to open a directory.
func Refused() []goleak.Option {
	return top(
		"github.com/dgraph-io/badger/v4.(*DB).monitorCache",
		"github.com/dgraph-io/badger/v4.(*DB).updateSize",
		"github.com/dgraph-io/badger/v4/y.(*WaterMark).process",
		"github.com/dgraph-io/ristretto/v2/z.(*AllocatorPool).freeupAllocators",
	)
}

func top(functions ...string) (options []goleak.Option) {
	for _, function := range functions {
		options = append(options, goleak.IgnoreTopFunction(function))
	}
	return options
}
