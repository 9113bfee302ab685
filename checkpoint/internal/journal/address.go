package journal

import (
	"encoding/binary"

	"penstock/checkpoint/internal/entry"
)

// BlockKey is the key of a block of an instance's journal.
func BlockKey(instance string, at Address) []byte {
	b := binary.BigEndian.AppendUint32(entry.OwnedKey(entry.SpaceJournal, instance, ""), at.Volume)
	return binary.BigEndian.AppendUint32(b, at.Index)
}

// blockOf reads the instance and the address out of the key of a journal's block.
func blockOf(key []byte) (instance string, at Address, ok bool) {
	n := len(key)
	if n < 10 || key[n-9] != 0 {
		return "", Address{}, false
	}
	at = Address{Volume: binary.BigEndian.Uint32(key[n-8:]), Index: binary.BigEndian.Uint32(key[n-4:])}
	return string(key[1 : n-9]), at, true
}
