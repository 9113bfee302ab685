package engine_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"penstock/engine"
)

type benchOrder struct {
	ID       string      `json:"id"`
	Customer uint64      `json:"customer"`
	At       time.Time   `json:"at"`
	Currency string      `json:"currency"`
	Total    float64     `json:"total"`
	Paid     bool        `json:"paid"`
	Lines    []benchLine `json:"lines"`
}

type benchLine struct {
	Article  string  `json:"article"`
	Quantity int     `json:"quantity"`
	Price    float64 `json:"price"`
}

// BenchmarkOrder compares the default with encoding/json, encode and decode, and prints the ratio.
func BenchmarkOrder(b *testing.B) {
	order := benchOrder{"order-2026-000123", 9876543210, time.Date(2026, 11, 28, 12, 34, 56, 789, time.UTC), "EUR", 149.95, true,
		[]benchLine{{"SKU-000-17", 2, 19.99}, {"SKU-123-99", 1, 59.97}, {"SKU-777-01", 4, 12.5}}}
	var took [2]float64
	for k, codec := range []struct {
		name   string
		append func([]byte, benchOrder) ([]byte, error)
		decode func([]byte) (benchOrder, error)
	}{
		{"default", engine.DefaultCodec[benchOrder]().Append, engine.DefaultCodec[benchOrder]().Decode},
		{"encoding-json", func(dst []byte, o benchOrder) ([]byte, error) {
			data, err := json.Marshal(o)
			return append(dst, data...), err
		}, func(data []byte) (o benchOrder, err error) {
			err = json.Unmarshal(data, &o)
			return o, err
		}},
	} {
		b.Run(codec.name, func(b *testing.B) {
			b.ReportAllocs()
			var scratch []byte
			for b.Loop() {
				data, err := codec.append(scratch[:0], order)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := codec.decode(data); err != nil {
					b.Fatal(err)
				}
				scratch = data
			}
			b.ReportMetric(float64(len(scratch)), "bytes")
			took[k] = float64(b.Elapsed().Nanoseconds()) / float64(b.N)
		})
	}
	if took[0] > 0 && took[1] > 0 {
		fmt.Printf("encoding/json takes %.2f times the default\n", took[1]/took[0])
	}
}
