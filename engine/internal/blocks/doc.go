// Package blocks reads the files of an embedded NATS server while no server runs on them, and finds what is damaged.
// The server itself cuts a file off at the first record that it cannot read, and says nothing. This package changes
// nothing unless [Stream.Mend], [Stream.Describe] or [Stream.MendSettings] is called.
//
// A server keeps each stream in a directory of its own:
//
//	meta.inf   the settings, JSON
//	meta.sum   their checksum
//	msgs/N.blk records: length, sequence, time, subject, headers, message, checksum
//	msgs/index.db  the index; the server makes it again when it is missing
package blocks
