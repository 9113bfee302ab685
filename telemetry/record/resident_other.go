//go:build !linux

package record

func residentMemory() int64 { return 0 }
