package render

import (
	"strings"
	"unicode/utf8"
)

// cell is the least width of a column, so that columns seldom move.
const cell = 8

// Table aligns rows: the first column to the left, the others to the right,
// but for the last.
func Table(rows [][]string, width int) []string {
	var widths []int
	for _, row := range rows[:1] {
		widths = make([]int, len(row))
	}
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], cell, utf8.RuneCountInString(text))
		}
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		var b strings.Builder
		for k, text := range row {
			padding := strings.Repeat(" ", widths[k]-utf8.RuneCountInString(text))
			switch {
			case k == 0:
				b.WriteString(text + padding)
			case k == len(widths)-1:
				b.WriteString("  " + text)
			default:
				b.WriteString("  " + padding + text)
			}
		}
		lines[i] = Cut(strings.TrimRight(b.String(), " "), width)
	}
	return lines
}

// Cut shortens a line so that the terminal does not wrap it.
func Cut(line string, width int) string {
	if room := max(width-1, 1); utf8.RuneCountInString(line) > room {
		return string([]rune(line)[:room-1]) + "…"
	}
	return line
}
