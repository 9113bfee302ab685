// Package memory replaces the server, the store and the dead letters of a run, in the memory of the process: streams
// that fence as a NATS server does, a disk that is synced as Badger's is, dead letters that can be replayed. The
// simulation plays its schedules on streams and a disk. Package enginetest runs whole pipelines on a [Backend].
package memory
