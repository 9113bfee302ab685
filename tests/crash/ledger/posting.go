package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// Posting is what the book says about one entry.
type Posting struct {
	Key     string `json:"key"`
	Entry   uint64 `json:"entry"`
	N       uint64 `json:"n"`       // postings of the key so far, this one included
	Amount  uint64 `json:"amount"`  // random
	Balance uint64 `json:"balance"` // sum of the key's amounts, modulo 2^64
}

// AppendLine appends the posting as a line of the file.
func AppendLine(dst []byte, p Posting) []byte {
	dst = append(dst, p.Key...)
	for _, n := range []uint64{p.Entry, p.N, p.Amount, p.Balance} {
		dst = append(dst, ' ')
		dst = strconv.AppendUint(dst, n, 10)
	}
	return append(dst, '\n')
}

// ParseLine is the inverse of AppendLine; the line comes without its newline.
func ParseLine(line string) (Posting, error) {
	fields := strings.Split(line, " ")
	if len(fields) != 5 {
		return Posting{}, fmt.Errorf("line %q: want a key and four numbers", line)
	}
	p := Posting{Key: fields[0]}
	for i, to := range []*uint64{&p.Entry, &p.N, &p.Amount, &p.Balance} {
		n, err := strconv.ParseUint(fields[i+1], 10, 64)
		if err != nil {
			return Posting{}, fmt.Errorf("line %q: %w", line, err)
		}
		*to = n
	}
	return p, nil
}

// Account is the state of one key.
type Account struct {
	N       uint64 `json:"n"`
	Amount  uint64 `json:"amount"` // the last one
	Balance uint64 `json:"balance"`
}

// follows says why the posting does not continue the account, or nil.
func (p Posting) follows(before Account) error {
	switch {
	case p.N != before.N+1:
		return fmt.Errorf("entry %d is posting %d of key %s, after posting %d", p.Entry, p.N, p.Key, before.N)
	case p.Balance != before.Balance+p.Amount:
		return fmt.Errorf("entry %d: the balance of key %s is %d, want %d + %d", p.Entry, p.Key, p.Balance, before.Balance, p.Amount)
	}
	return nil
}

func (p Posting) account() Account { return Account{p.N, p.Amount, p.Balance} }
