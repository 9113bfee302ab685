//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "soak: needs Linux: it reads what a process uses from /proc")
	os.Exit(2)
}
