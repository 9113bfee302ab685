//go:build unix

package inflight

import (
	"errors"

	"penstock/internal/nofollow"
)

// syncDir makes a rename in a directory durable.
func syncDir(path string) error {
	d, err := nofollow.OpenDirectory(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
