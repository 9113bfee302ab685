package workload

import (
	"fmt"
	"strconv"
	"strings"
)

// Item is what flows on every stream.
type Item struct {
	Token
	Key    string `json:"key,omitempty"` // of the producer's state; "" when it has one for all
	Seq    uint64 `json:"seq"`           // 1, 2, 3 … for each producer, key and stream
	Random uint64 `json:"random"`
}

// Token is the identity of an item: no two of a stream have the same.
type Token struct {
	ID   uint64 `json:"id"`   // source and number
	Path uint64 `json:"path"` // the way from there
}

func (t Token) String() string {
	return fmt.Sprintf("%d/%d by way %x", t.ID>>sourceShift, t.ID&(1<<sourceShift-1), t.Path)
}

// sourceShift leaves room for the numbers of a source.
const sourceShift = 32

// child is the token of a copy of an item on its way out of a stage.
func (t Token) child(stage, destination, copied int) Token {
	return Token{t.ID, mix(t.Path, uint64(stage)<<16|uint64(destination)<<8|uint64(copied))}
}

func (t Token) hash() uint64 { return mix(t.ID, t.Path) }

func (i Item) hash() uint64 {
	h := mix(i.Seq, i.Random)
	for _, b := range []byte(i.Key) {
		h = mix(h, uint64(b))
	}
	return h
}

// mix is a hash of two numbers (the finalizer of splitmix64).
func mix(a, b uint64) uint64 {
	x := a*0x9E3779B97F4A7C15 + b + 0x632BE59BD9B4E019
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// AppendLine appends the item as a line of a file.
func AppendLine(dst []byte, i Item) []byte {
	key := i.Key
	if key == "" {
		key = "-"
	}
	dst = append(dst, key...)
	for _, n := range []uint64{i.ID, i.Path, i.Seq, i.Random} {
		dst = strconv.AppendUint(append(dst, ' '), n, 10)
	}
	return append(dst, '\n')
}

// ParseLine is the inverse of AppendLine; the line comes without its newline.
func ParseLine(line string) (i Item, err error) {
	fields := strings.Split(line, " ")
	if len(fields) != 5 {
		return i, fmt.Errorf("line %q: want a key and four numbers", line)
	}
	if fields[0] != "-" {
		i.Key = fields[0]
	}
	for k, to := range []*uint64{&i.ID, &i.Path, &i.Seq, &i.Random} {
		if *to, err = strconv.ParseUint(fields[k+1], 10, 64); err != nil {
			return i, fmt.Errorf("line %q: %w", line, err)
		}
	}
	return i, nil
}
