//go:build linux

package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"penstock/tests/figures"
	"slices"
	"strings"
)

const (
	panelWidth, panelHeight = 440, 170
	leftMargin, rightMargin = 58, 22
	topMargin, bottomMargin = 34, 28
	headHeight, footHeight  = 44, 14
	plotWidth               = panelWidth - leftMargin - rightMargin
	plotHeight              = panelHeight - topMargin - bottomMargin
)

// style follows the reader's setting, light or dark.
const style = `<style>
svg{font:12px system-ui,-apple-system,"Segoe UI",sans-serif}
.back{fill:#ffffff}.text{fill:#1f2328}.dim{fill:#59636e}
.grid{stroke:#d1d9e0;stroke-width:1}.line{fill:none;stroke:#0969da;stroke-width:1.3;stroke-linejoin:round}
.trend{fill:none;stroke:#bc4c00;stroke-width:1.6;stroke-dasharray:6 4}
.head{font-size:16px;font-weight:600}.title{font-weight:600}
@media (prefers-color-scheme:dark){
.back{fill:#0d1117}.text{fill:#f0f6fc}.dim{fill:#9198a1}.grid{stroke:#3d444d}
.line{stroke:#58a6ff}.trend{stroke:#f0883e}}
</style>`

// drawing has a panel for each measure: its samples, and its slope through the
// middle of those that count.
func (s *subjectReport) drawing(after float64) []byte {
	rows := (len(s.Trends) + 1) / 2
	width, height := 2*panelWidth, headHeight+rows*panelHeight+footHeight
	title := "Soak: one process"
	if s.Restarts != nil {
		title = fmt.Sprintf("Soak: killed %d times", len(s.Restarts))
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		width, height, width, height, html.EscapeString(title))
	fmt.Fprintf(&out, "%s\n"+`<rect class="back" width="%d" height="%d" rx="6"/>`+"\n", style, width, height)
	text(&out, 16, 26, "text head", "start", title)
	for k, m := range s.Trends {
		fmt.Fprintf(&out, `<g transform="translate(%d %d)">`+"\n", k%2*panelWidth, headHeight+k/2*panelHeight)
		s.panel(&out, m, after)
		out.WriteString("</g>\n")
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

func (s *subjectReport) panel(out *bytes.Buffer, m measured, after float64) {
	text(out, leftMargin, 18, "text title", "start", m.Name)
	var hours, values []float64
	for _, sample := range s.Samples {
		if v, found := sample.Values[m.Name]; found {
			hours, values = append(hours, sample.Hours), append(values, v)
		}
	}
	if len(values) == 0 {
		return
	}
	end, step := max(hours[len(hours)-1], 1e-9), figures.NiceStep(max(slices.Max(values), 1e-9)/3)
	top := math.Ceil(slices.Max(values)/step) * step
	if top <= 0 {
		top = step
	}
	x := func(h float64) float64 { return leftMargin + plotWidth*h/end }
	y := func(v float64) float64 { return topMargin + plotHeight*(1-min(max(v/top, 0), 1)) }
	for tick := 0.0; tick <= top*1.001; tick += step {
		fmt.Fprintf(out, `<path class="grid" d="M%d %.1fh%d"/>`+"\n", leftMargin, y(tick), plotWidth)
		text(out, leftMargin-8, y(tick)+4, "dim", "end", short(tick))
	}
	for k := range 4 {
		h := end * float64(k) / 3
		text(out, x(h), panelHeight-bottomMargin+18, "dim", "middle", fmt.Sprintf("%.3g min", h*60))
	}
	var path strings.Builder
	for k := range values {
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(k, 1)], x(hours[k]), y(values[k]))
	}
	fmt.Fprintf(out, `<path class="line" d="%s"/>`+"\n", path.String())
	if m.Verdict == tooFew {
		return
	}
	from := slices.IndexFunc(hours, func(h float64) bool { return h >= after })
	middleHour, middle := figures.Median(hours[from:]), figures.Median(values[from:])
	at := func(h float64) float64 { return middle + m.Slope*(h-middleHour) }
	fmt.Fprintf(out, `<path class="trend" d="M%.1f %.1fL%.1f %.1f"/>`+"\n", x(after), y(at(after)), x(end), y(at(end)))
}

func text(out *bytes.Buffer, x, y float64, class, anchor, content string) {
	fmt.Fprintf(out, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(content))
}
