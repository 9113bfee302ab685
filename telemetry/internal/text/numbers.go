package text

import (
	"fmt"
	"math"
)

// Short says a number in three digits.
func Short(n float64) string {
	switch {
	case n < 0.05:
		return "0"
	case n < 9.95 && n != math.Trunc(n):
		return fmt.Sprintf("%.1f", n)
	case n < 999.5:
		return fmt.Sprintf("%.0f", n)
	}
	return scaled(n, 1000, "", []string{"k", "M", "G", "T"})
}

// Size says bytes in three digits.
func Size(bytes float64) string {
	if bytes < 1024 {
		return fmt.Sprintf("%.0f B", bytes)
	}
	return scaled(bytes, 1024, " ", []string{"KiB", "MiB", "GiB", "TiB"})
}

func scaled(n, step float64, space string, units []string) string {
	k := -1
	for n >= step-0.5 && k < len(units)-1 {
		n /= step
		k++
	}
	if n < 9.95 {
		return fmt.Sprintf("%.1f%s%s", n, space, units[k])
	}
	return fmt.Sprintf("%.0f%s%s", n, space, units[k])
}

// Seconds says a time in the unit that fits.
func Seconds(s float64) string {
	switch {
	case s <= 0 || math.IsNaN(s):
		return "0 s"
	case s < 1e-3:
		return fmt.Sprintf("%.0f µs", s*1e6)
	case s < 1:
		return fmt.Sprintf("%.*f ms", digits(s*1e3), s*1e3)
	case s < 120:
		return fmt.Sprintf("%.*f s", digits(s), s)
	case s < 7200:
		return fmt.Sprintf("%.0f min", s/60)
	}
	return fmt.Sprintf("%.0f h", s/3600)
}

func digits(n float64) int {
	if n < 10 {
		return 1
	}
	return 0
}
