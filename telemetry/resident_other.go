//go:build !linux

package telemetry

func residentMemory() int64 { return 0 }
