package inflight

import "hash/fnv"

// bootHash tells one start of this machine from another, and from those of other machines. 0 if the system has no name
// for it.
func bootHash() uint64 {
	id := bootID()
	if id == "" {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return h.Sum64()
}
