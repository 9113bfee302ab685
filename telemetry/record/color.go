package record

import "strings"

// Color says at a glance how a stage or channel is.
type Color uint8

const (
	Green  Color = iota // as it should be
	Yellow              // worth a look
	Orange              // about to become bad
	Red                 // bad
	Grey                // it does nothing: ended, stopped, not started
)

var colorNames = [...]string{"green", "yellow", "orange", "red", "grey"}

// String is the color's name.
func (c Color) String() string {
	if int(c) < len(colorNames) {
		return colorNames[c]
	}
	return "?"
}

// MarshalText writes the name.
func (c Color) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a name; what it does not know is Grey.
func (c *Color) UnmarshalText(text []byte) error {
	*c = Grey
	for k, name := range colorNames {
		if name == string(text) {
			*c = Color(k)
		}
	}
	return nil
}

// The shares of a channel's capacity from which on it has a color.
const (
	fillYellow = 0.10
	fillOrange = 0.40
	fillRed    = 0.80
)

func colorOfFill(fill float64) Color {
	switch {
	case fill > fillRed:
		return Red
	case fill > fillOrange:
		return Orange
	case fill > fillYellow:
		return Yellow
	}
	return Green
}

// colorOfStage tells from its state, its health and its breaker how a stage is.
func colorOfStage(state, health, breaker string) Color {
	switch state {
	case "given up", "escalated":
		return Red
	case "backing off", "failed":
		return Orange
	case "ended", "stopped", "":
		return Grey
	}
	switch {
	case breaker == "open", strings.HasPrefix(health, "unhealthy"):
		return Red
	case strings.HasPrefix(health, "degraded"), breaker == "half-open":
		return Yellow
	}
	return Green
}
