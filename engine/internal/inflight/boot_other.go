//go:build !linux && !darwin

package inflight

func bootID() string { return "" }
