//go:build !unix

package inflight

// syncDir does nothing: directories cannot be synced here.
func syncDir(string) error { return nil }
