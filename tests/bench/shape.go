package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// shape is what travels in a hop: values of a size, as they are or as JSON.
type shape struct {
	size int
	json bool
}

// shapes are those of the hop; the aims are for the first.
var shapes = []shape{{128, false}, {16, false}, {1024, false}, {128, true}, {16, true}, {1024, true}}

func (s shape) String() string {
	if s.json {
		return sizeText(s.size) + " as JSON"
	}
	return sizeText(s.size)
}

func sizeText(bytes int) string {
	if bytes >= 1<<10 && bytes%(1<<10) == 0 {
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d B", bytes)
}

var errDamaged = errors.New("a message came twice, out of order or damaged")

// raw makes and reads values of bytes; they differ in their number only.
type raw struct{ template []byte }

func newRaw(size int) raw {
	template := make([]byte, size)
	for i := range template {
		template[i] = byte(i)
	}
	return raw{template}
}

func (r raw) number(i uint64) { binary.BigEndian.PutUint64(r.template, i) }

// fresh is a value of its own, for a client that keeps what it was given.
func (r raw) fresh(i uint64) ([]byte, error) {
	value := make([]byte, len(r.template))
	copy(value, r.template)
	binary.BigEndian.PutUint64(value, i)
	return value, nil
}

func (r raw) read(value []byte) (uint64, error) {
	if len(value) != len(r.template) {
		return 0, errDamaged
	}
	return binary.BigEndian.Uint64(value), nil
}

// order is a value that is encoded and decoded. Its JSON is as long as asked
// for, as far as that is possible.
type order struct {
	Number   uint64  `json:"n"`
	Customer string  `json:"customer,omitempty"`
	Paid     bool    `json:"paid,omitempty"`
	Total    float64 `json:"total,omitempty"`
	Lines    []line  `json:"lines,omitempty"`
	Note     string  `json:"note,omitempty"`
}

type line struct {
	Article string  `json:"article"`
	Count   int     `json:"count"`
	Price   float64 `json:"price"`
}

// firstNumber has as many digits as all that follow.
const firstNumber = 1_000_000_000

type orders struct{ template order }

// newOrders fills an order with lines, and what is left with a note.
func newOrders(size int) orders {
	o := order{Number: firstNumber}
	length := func() int {
		text, err := json.Marshal(o)
		if err != nil {
			panic(err) // a struct of strings and numbers
		}
		return len(text)
	}
	if size >= 64 {
		o.Customer, o.Paid, o.Total = "ACME-0042", true, 1234.5
		for length() <= size-64 {
			o.Lines = append(o.Lines, line{Article: fmt.Sprint("bolt-", 100+len(o.Lines)), Count: 12, Price: 0.35})
		}
		o.Note = "x"
		o.Note = strings.Repeat("x", max(1, 1+size-length()))
	}
	return orders{o}
}

func (s orders) value(i uint64) order {
	o := s.template
	o.Number = firstNumber + i
	return o
}

func (s orders) encode(i uint64) ([]byte, error) { return json.Marshal(s.value(i)) }

func (s orders) decode(data []byte) (uint64, error) {
	var o order
	if err := json.Unmarshal(data, &o); err != nil {
		return 0, fmt.Errorf("decode an order: %w", err)
	}
	return s.read(o)
}

func (s orders) read(o order) (uint64, error) {
	if len(o.Lines) != len(s.template.Lines) || o.Note != s.template.Note || o.Number < firstNumber {
		return 0, errDamaged
	}
	return o.Number - firstNumber, nil
}

// byHand is how a program by hand makes and reads a value of the shape.
func (s shape) byHand() (write func(uint64) ([]byte, error), read func([]byte) (uint64, error)) {
	if s.json {
		o := newOrders(s.size)
		return o.encode, o.decode
	}
	r := newRaw(s.size)
	return r.fresh, r.read
}
