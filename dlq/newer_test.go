package dlq

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"penstock/internal/format"
)

func TestALetterOfANewerVersionIsNotCalledDamaged(t *testing.T) {
	t.Parallel()
	q := openNew(t)
	mustPut(t, q, letterAt(0), true)
	later := encode(letterAt(33), fullLimits, "w")
	later.Header.Set(headerFormat, strconv.Itoa(format.Letter+1))
	if _, err := q.js.PublishMsg(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	read, each := offsets(t.Context(), q)
	if !slices.Equal(read, []uint64{0}) {
		t.Errorf("the letters that can be read are %v", read)
	}
	_, _, get := q.Get(t.Context(), letterAt(33).ID())
	_, put := q.Put(t.Context(), letterAt(33))
	_, export := q.Export(t.Context(), Filter{}, io.Discard)
	imported := new(Letter).UnmarshalJSON([]byte(`{"format":2}`))
	for name, err := range map[string]error{"each": each, "get": get, "put": put, "export": export, "import": imported} {
		if !errors.Is(err, ErrNewerVersion) || errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), "rmm") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
