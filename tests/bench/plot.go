package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"penstock/tests/figures"
)

// panel is one diagram of a drawing: lines over common places on the x axis,
// which are drawn at equal distances and are the same for all lines.
type panel struct {
	title string
	lines []plotLine
}

// plotLine has a value for each place.
type plotLine struct {
	name   string
	values []float64
}

const (
	panelWidth, panelHeight   = 440, 250
	leftMargin, rightMargin   = 58, 22
	topMargin, bottomMargin   = 34, 34
	headHeight, footHeight    = 58, 30
	plotWidth                 = panelWidth - leftMargin - rightMargin
	plotHeight                = panelHeight - topMargin - bottomMargin
	logarithmicFrom           = 30 // times between the least and the most
	panelsInARow, tickPadding = 2, 8
)

// style reads well in the light and in the dark: it follows the reader's
// setting, background included.
const style = `<style>
svg{font:12px system-ui,-apple-system,"Segoe UI",sans-serif}
.back{fill:#ffffff}.text{fill:#1f2328}.dim{fill:#59636e}
.grid{stroke:#d1d9e0;stroke-width:1}
.l0{stroke:#0969da}.m0{fill:#0969da}.l1{stroke:#bc4c00}.m1{fill:#bc4c00}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.l1{stroke-dasharray:6 4}
.head{font-size:16px;font-weight:600}.title{font-weight:600}
@media (prefers-color-scheme:dark){
.back{fill:#0d1117}.text{fill:#f0f6fc}.dim{fill:#9198a1}.grid{stroke:#3d444d}
.l0{stroke:#58a6ff}.m0{fill:#58a6ff}.l1{stroke:#f0883e}.m1{fill:#f0883e}}
</style>`

// draw draws the panels with a title, a text for each place and a legend.
func draw(title, axis string, places []string, panels []panel) []byte {
	rows := (len(panels) + panelsInARow - 1) / panelsInARow
	width := min(len(panels), panelsInARow) * panelWidth
	height := headHeight + rows*panelHeight + footHeight
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		width, height, width, height, html.EscapeString(title))
	out.WriteString(style + "\n")
	fmt.Fprintf(&out, `<rect class="back" width="%d" height="%d" rx="6"/>`+"\n", width, height)
	text(&out, 16, 26, "text head", "start", title)
	if len(panels) > 0 {
		legend(&out, panels[0].lines)
	}
	for i, p := range panels {
		fmt.Fprintf(&out, `<g transform="translate(%d %d)">`+"\n", i%panelsInARow*panelWidth, headHeight+i/panelsInARow*panelHeight)
		p.draw(&out, places)
		out.WriteString("</g>\n")
	}
	text(&out, float64(width)/2, float64(height)-12, "dim", "middle", axis)
	out.WriteString("</svg>\n")
	return out.Bytes()
}

func legend(out *bytes.Buffer, lines []plotLine) {
	x := 16.0
	for i, l := range lines {
		fmt.Fprintf(out, `<path class="line l%d" d="M%.0f 44h26"/>`+"\n", i%2, x)
		mark(out, i, x+13, 44)
		text(out, x+34, 48, "text", "start", l.name)
		x += 50 + 7*float64(len(l.name))
	}
}

func text(out *bytes.Buffer, x, y float64, class, anchor, content string) {
	fmt.Fprintf(out, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(content))
}

// mark is a shape of its own for each line, for who does not see colours.
func mark(out *bytes.Buffer, line int, x, y float64) {
	if line%2 == 0 {
		fmt.Fprintf(out, `<circle class="m0" cx="%.1f" cy="%.1f" r="3.5"/>`+"\n", x, y)
		return
	}
	fmt.Fprintf(out, `<rect class="m1" x="%.1f" y="%.1f" width="7" height="7"/>`+"\n", x-3.5, y-3.5)
}

func (p panel) draw(out *bytes.Buffer, places []string) {
	text(out, leftMargin, 18, "text title", "start", p.title)
	scale := newScale(p.lines)
	for _, tick := range scale.ticks {
		y := topMargin + plotHeight*(1-scale.at(tick))
		fmt.Fprintf(out, `<path class="grid" d="M%d %.1fh%d"/>`+"\n", leftMargin, y, plotWidth)
		text(out, leftMargin-tickPadding, y+4, "dim", "end", short(tick))
	}
	x := func(i int) float64 {
		return leftMargin + plotWidth*(float64(i)+0.5)/float64(max(len(places), 1))
	}
	for i, place := range places {
		text(out, x(i), panelHeight-bottomMargin+18, "dim", "middle", place)
	}
	for k, l := range p.lines {
		var path bytes.Buffer
		command := 'M'
		for i, v := range l.values {
			if math.IsNaN(v) {
				command = 'M'
				continue
			}
			fmt.Fprintf(&path, "%c%.1f %.1f", command, x(i), topMargin+plotHeight*(1-scale.at(v)))
			command = 'L'
		}
		fmt.Fprintf(out, `<path class="line l%d" d="%s"/>`+"\n", k%2, path.String())
		for i, v := range l.values {
			if !math.IsNaN(v) {
				mark(out, k, x(i), topMargin+plotHeight*(1-scale.at(v)))
			}
		}
	}
}

// scale is an axis from nothing, or by powers of ten when the values differ
// much.
type scale struct {
	low, high   float64
	logarithmic bool
	ticks       []float64
}

func newScale(lines []plotLine) scale {
	least, most := math.Inf(1), 0.0
	for _, l := range lines {
		for _, v := range l.values {
			if v > 0 {
				least, most = min(least, v), max(most, v)
			}
		}
	}
	if most == 0 {
		return scale{high: 1, ticks: []float64{0, 1}}
	}
	if most > logarithmicFrom*least {
		s := scale{logarithmic: true, low: math.Pow10(int(math.Floor(math.Log10(least)))), high: math.Pow10(int(math.Ceil(math.Log10(most))))}
		for tick := s.low; tick <= s.high*1.001; tick *= 10 {
			s.ticks = append(s.ticks, tick)
		}
		return s
	}
	step := figures.NiceStep(most / 4)
	s := scale{high: math.Ceil(most/step) * step}
	for i := 0; float64(i)*step <= s.high*1.001; i++ {
		s.ticks = append(s.ticks, float64(i)*step)
	}
	return s
}

// at is where a value is between the ends of the axis, 0 to 1.
func (s scale) at(v float64) float64 {
	if !s.logarithmic {
		return v / s.high
	}
	if v <= s.low {
		return 0
	}
	return math.Log10(v/s.low) / math.Log10(s.high/s.low)
}
