package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// wellFormed reads a drawing to its end, and returns the names of its elements.
func wellFormed(t *testing.T, drawing []byte) (elements []string) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(drawing)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}
		if err != nil {
			t.Fatalf("not well formed: %v\n%s", err, drawing)
		}
		if start, ok := token.(xml.StartElement); ok {
			elements = append(elements, start.Name.Local)
		}
	}
}

func TestDrawingHasEveryPoint(t *testing.T) {
	t.Parallel()
	drawing := draw("a < b & c", "things", []string{"1", "10", "100"}, []panel{
		{"rate", []plotLine{{"sync always", []float64{1, 2, 3}}, {"sync lazy", []float64{4, math.NaN(), 6}}}},
		{"nothing", []plotLine{{"sync always", []float64{0, 0, 0}}}},
		{"third", nil},
	})
	elements := wellFormed(t, drawing)
	count := func(name string) (n int) {
		for _, e := range elements {
			if e == name {
				n++
			}
		}
		return n
	}
	if circles, squares := count("circle"), count("rect"); circles != 3+3+1 || squares != 2+1+1 { // points, legend, background
		t.Errorf("%d circles and %d squares:\n%s", circles, squares, drawing)
	}
	if strings.Contains(string(drawing), "NaN") || strings.Contains(string(drawing), "Inf") {
		t.Errorf("a value is drawn that is none:\n%s", drawing)
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	linear := newScale([]plotLine{{"", []float64{3, 9.5}}})
	if want := []float64{0, 5, 10}; linear.logarithmic || !slices.Equal(linear.ticks, want) {
		t.Errorf("%+v, want ticks %v", linear, want)
	}
	if got := linear.at(5); got != 0.5 {
		t.Errorf("5 is at %v", got)
	}
	logarithmic := newScale([]plotLine{{"", []float64{2, 900}}})
	if want := []float64{1, 10, 100, 1000}; !logarithmic.logarithmic || !slices.Equal(logarithmic.ticks, want) {
		t.Errorf("%+v, want ticks %v", logarithmic, want)
	}
	if got := logarithmic.at(10); math.Abs(got-1.0/3) > 1e-9 {
		t.Errorf("10 is at %v", got)
	}
	if got := logarithmic.at(0); got != 0 {
		t.Errorf("0 is at %v", got)
	}
}
