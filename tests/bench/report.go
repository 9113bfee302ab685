package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"penstock/tests/figures"
	"slices"
	"strconv"
	"text/tabwriter"
)

// report is everything that was measured.
type report struct {
	Facts   facts    `json:"machine"`
	Figures []figure `json:"figures"`
}

// figure is one thing that was measured, once a round.
type figure struct {
	Case      string    `json:"case"`
	Sync      string    `json:"sync"`
	System    string    `json:"system"`
	What      string    `json:"what"`
	Messages  int       `json:"messages,omitempty"` // of one round
	Rounds    []float64 `json:"rounds"`
	Median    float64   `json:"median"`
	Aim       *aim      `json:"aim,omitempty"`
	Guarantee string    `json:"guarantee,omitempty"`
}

// aim is what a median should reach.
type aim struct {
	AtLeast float64 `json:"at_least,omitempty"`
	Below   float64 `json:"below,omitempty"`
	Met     bool    `json:"met"`
}

func (r *report) add(f figure) {
	f.Median = figures.Median(f.Rounds)
	if f.Aim != nil {
		f.Aim.Met = f.Median >= f.Aim.AtLeast && (f.Aim.Below == 0 || f.Median < f.Aim.Below)
	}
	r.Figures = append(r.Figures, f)
}

func (r *report) print(out io.Writer) error {
	fmt.Fprintf(out, "%s\n\n", r.Facts)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "case\tsync\tsystem\twhat\tmedian\tleast .. most\tguarantee or aim")
	for _, f := range r.Figures {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Case, f.Sync, f.System, f.What, short(f.Median), f.spread(), f.remark())
	}
	return table.Flush()
}

func (f figure) spread() string {
	if len(f.Rounds) < 2 {
		return ""
	}
	return short(slices.Min(f.Rounds)) + " .. " + short(slices.Max(f.Rounds))
}

func (f figure) remark() string {
	if f.Aim == nil {
		return f.Guarantee
	}
	text := "aim: at least " + short(f.Aim.AtLeast)
	if f.Aim.Below > 0 {
		text = "aim: below " + short(f.Aim.Below)
	}
	if f.Aim.Met {
		text += ", met"
	} else {
		text += ", MISSED"
	}
	if f.Guarantee != "" {
		text += "; " + f.Guarantee
	}
	return text
}

// short writes a figure with the digits that mean something.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', 2, 64) + " M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'f', 1, 64) + " k"
	case v >= 100 || v == float64(int(v)):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func save(path string, result any) error {
	data, err := json.MarshalIndent(result, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("save the result: %w", err)
	}
	return nil
}

// restore reads what save wrote.
func restore(path string, result any) error {
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, result)
	}
	if err != nil {
		return fmt.Errorf("read the result: %w", err)
	}
	return nil
}
