package plan

import (
	"fmt"
	"slices"
	"testing"
)

// Every group belongs to one partition, and those of a partition are a range, about as many as those of each other one.
func TestPartitionsDivideTheKeyGroups(t *testing.T) {
	for _, width := range []int{1, 2, 3, 7, 64, 256, KeyGroups} {
		counts := make([]int, width)
		last := 0
		for group := range KeyGroups {
			at := PartitionOf(group, width)
			if at < last || at > last+1 {
				t.Fatalf("of %d partitions group %d belongs to %d, the group before to %d", width, group, at, last)
			}
			last = at
			counts[at]++
		}
		if last != width-1 || slices.Max(counts)-slices.Min(counts) > 1 {
			t.Errorf("%d partitions have %v groups", width, counts)
		}
	}
}

// What is stored is called so by every build, and so is where a key belongs.
func TestTheNamesOfEdges(t *testing.T) {
	p := New("shop")
	orders := &Stage{Pipeline: p, Name: "orders", Kind: KindSource, Options: Options{Partitions: 2}}
	orders.Output = &Stream{Pipeline: p, Owner: orders}
	late := &Stream{Pipeline: p, Owner: orders, Branch: "late"}
	orders.Options.Branches = []*Stream{late}
	read := func(name string, partitions int, s *Stream) *Stage {
		r := &Stage{Pipeline: p, Name: name, Options: Options{Partitions: partitions}}
		r.Inputs = []*Input{{Stage: r, Stream: s}}
		s.Readers = append(s.Readers, r.Inputs[0])
		return r
	}
	tally, single := read("tally", 3, orders.Output), read("log", 1, orders.Output)
	read("again", 2, late)

	var sections []string
	for _, d := range orders.Destinations() {
		sections = append(sections, fmt.Sprintf("%q %d", d.Branch(), d.Partition))
	}
	if want := []string{`"" 0`, `">tally" 0`, `">tally" 1`, `">tally" 2`, `"late>again" 0`, `"late>again" 1`}; !slices.Equal(sections, want) {
		t.Errorf("sections %q, want %q", sections, want)
	}
	of, all := tally.Edges(InstanceID{"tally", 2})[1], single.Edges(Only("log"))[0]
	for got, want := range map[string]string{
		of.String():                    "orders.1>tally.2",
		of.Message(33):                 "orders.1:33",
		of.ID(33):                      "shop.orders.1>tally.2:33",
		of.Consumer():                  "tally-2++1",
		of.Branch():                    ">tally",
		fmt.Sprint(of.Destination()):   "3",
		all.String():                   "orders.0",
		all.Consumer():                 "log-0",
		all.Branch():                   "",
		fmt.Sprint(all.Destination()):  "0",
		fmt.Sprint(GroupOf("")):        "409",
		fmt.Sprint(GroupOf("order-1")): "173",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
