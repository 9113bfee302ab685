//go:build !(linux || darwin || freebsd)

package disk

import (
	"errors"
	"fmt"
)

// Space cannot tell the free space here: it answers errors.ErrUnsupported.
func Space(dir string) (free, size int64, err error) {
	return 0, 0, fmt.Errorf("read the free space of %s: %w", dir, errors.ErrUnsupported)
}
