package letters

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"penstock/dlq"
)

func TestPacer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		p := pacer{pause: 100 * time.Millisecond}
		for i := range 5 {
			if err := p.wait(t.Context()); err != nil || time.Since(begun) != time.Duration(i)*100*time.Millisecond {
				t.Fatalf("call %d after %v, %v", i, time.Since(begun), err)
			}
			time.Sleep(30 * time.Millisecond) // the work
		}
		time.Sleep(time.Second)
		for range 2 { // lost time is not made up for
			begun = time.Now()
			if err := p.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if time.Since(begun) != 100*time.Millisecond {
			t.Errorf("the second one came after %v", time.Since(begun))
		}
	})
}

func TestRequestsKeepFilters(t *testing.T) {
	t.Parallel()
	value := []byte{}
	want := Request{Verb: Verb{Sequence: 9, To: "t", Value: &value, Rounds: -1, Pause: time.Second}, Filter: dlq.Filter{
		IDs: []string{"a.0:b.0:1"}, Stage: "s", Input: "i", Reason: dlq.ReasonError, Since: time.Unix(1, 2).UTC(), Until: time.Unix(3, 4).UTC(),
		Key: "\xff", Error: "\xfe", MinRound: 2, WithoutValues: true,
	}}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Request
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v", got.Filter); text != fmt.Sprintf("%+v", want.Filter) || got.Sequence != 9 || got.To != "t" || got.Value == nil || got.Rounds != -1 || got.Pause != time.Second {
		t.Errorf("%+v, want %+v", got, want)
	}
	if !slices.Equal(got.IDs, want.IDs) {
		t.Errorf("%q", got.IDs)
	}
}
