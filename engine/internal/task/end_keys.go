package task

import (
	"errors"
	"fmt"
)

type keyAndValue struct {
	key   string
	value []byte
}

// keysFrom returns the next keys, and whether there are no more.
func (t *Task) keysFrom(from string, most int) (keys []keyAndValue, isAll bool, err error) {
	bytes := 0
	err = t.Committed.EachKey(from, func(key string, value []byte) error {
		keys = append(keys, keyAndValue{key, append([]byte(nil), value...)})
		if bytes += len(value); len(keys) == most || bytes > endBytes {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, false, fmt.Errorf("read the keys from %q: %w", from, err)
	}
	return keys, err == nil, nil
}
