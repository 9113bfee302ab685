package render

import (
	"fmt"
	"strconv"
	"time"
)

// Number writes thousands apart: 1,234,567.
func Number(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Plural counts things: 1 dead letter, 2 dead letters.
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Number(uint64(n)) + " " + thing + "s"
}

// Age rounds a time down to its largest unit: 45s, 12m, 3h, 8d.
func Age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(d, 0)/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}
