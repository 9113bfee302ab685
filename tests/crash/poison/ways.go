package poison

import (
	"errors"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"penstock/engine"
)

// Ways in which a message ends the whole process.
var Ways = []string{"exit", "maps", "stack", "goroutine", "later", "memory", "signal"}

// orderly are ways in which the engine lives on.
var orderly = []string{"error", "panic", "reject"}

func isWay(way string) bool { return slices.Contains(Ways, way) || slices.Contains(orderly, way) }

// Kills says whether a way ends the process.
func Kills(way string) bool { return slices.Contains(Ways, way) }

// OutlivesItsCall says whether the harm may come when the message's effect is committed.
func OutlivesItsCall(way string) bool { return way == "goroutine" || way == "later" }

var errHarm = errors.New("an error on purpose")

// do does harm. Only what returns an error, and the goroutines, come back.
func do(way string) error {
	switch way {
	case "exit":
		os.Exit(7)
	case "maps":
		writeAtOnce()
	case "stack":
		debug.SetMaxStack(1 << 20) // a gigabyte would take seconds
		_ = deep(1)
	case "goroutine":
		go panic("a goroutine of the stage, at once")
	case "later":
		time.AfterFunc(time.Millisecond, func() { panic("a goroutine of the stage, after a while") })
	case "memory":
		exhaust()
	case "signal":
		die()
	case "panic":
		panic("a panic on purpose")
	case "reject":
		return engine.Reject(errHarm)
	default:
		return errHarm
	}
	return nil
}

// writeAtOnce writes to a map from two goroutines until the runtime notices.
func writeAtOnce() {
	m := map[int]int{}
	for range 2 {
		go func() {
			for i := 0; ; i++ {
				m[i%64] = i
			}
		}()
	}
	select {}
}

func deep(n int) int {
	if n == 0 {
		return 0
	}
	return deep(n+1) + n
}
