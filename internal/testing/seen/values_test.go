package seen

import (
	"fmt"
	"slices"
	"testing"
)

// reports is a test whose errors are looked at.
type reports struct {
	testing.TB
	list []string
}

func (r *reports) Errorf(format string, values ...any) {
	r.list = append(r.list, fmt.Sprintf(format, values...))
}

func TestWhatIsChangedOrMissingIsReported(t *testing.T) {
	t.Parallel()
	var told reports
	v := New[string](&told)
	for k, value := range []string{"a", "b", "c"} {
		v.Add(uint64(k), value)
	}
	v.Add(1, "b") // after a restart
	if len(told.list) > 0 || !slices.Equal(v.All(), []string{"a", "b", "c"}) {
		t.Errorf("%v is kept, and reported %q", v.All(), told.list)
	}
	v.Add(1, "x")
	v.Add(4, "e")
	if want := []string{"offset 1 was b and comes again as x", "offset 4 comes after 3 values"}; !slices.Equal(told.list, want) {
		t.Errorf("reported %q, want %q", told.list, want)
	}
}
