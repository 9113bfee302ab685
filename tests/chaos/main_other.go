//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "chaos: needs Linux: it stops processes, mounts file systems and cuts their power")
	os.Exit(2)
}
