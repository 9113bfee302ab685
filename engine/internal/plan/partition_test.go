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
		sections = append(sections, fmt.Sprintf("%q %d", d.Branch(), d.Instance))
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

// An instance that a stage had before never comes again, and who had partitions keeps sections of its own.
func TestTheLayoutsOfAStage(t *testing.T) {
	p := New("shop")
	orders := &Stage{Pipeline: p, Name: "orders", Kind: KindSource}
	orders.Output = &Stream{Pipeline: p, Owner: orders}
	tally := &Stage{Pipeline: p, Name: "tally"}
	tally.Inputs = []*Input{{Stage: tally, Stream: orders.Output}}
	orders.Output.Readers = tally.Inputs

	layout := tally.Layout()
	seen := map[int]bool{}
	for _, n := range []int{4, 3, 1, 1024} {
		for _, id := range layout.Instances("tally") {
			if seen[id.Number] || layout.Number(layout.Partition(id.Number)) != id.Number {
				t.Errorf("%v of %+v", id, layout)
			}
			seen[id.Number] = true
		}
		layout = layout.Next(n)
	}
	if layout.First != 9 || !layout.Alone {
		t.Errorf("in the end %+v", layout)
	}
	past := Edge{tally.Inputs[0], Only("orders"), Only("tally")} // what it was called is what it is called
	for before, want := range map[Layout]string{
		{Count: 1}: "orders", {Count: 4}: "orders>tally.0",
		Layout{Count: 1}.Next(4): "orders", Layout{Count: 4}.Next(1): "orders>tally.0", Layout{Count: 1}.Next(4).Next(3): "orders",
	} {
		if tally.Lay(before); past.String() != want {
			t.Errorf("%+v: %s, want %s", before, past, want)
		}
	}
	tally.Lay(Layout{First: 5, Count: 1})
	edge := tally.Edges(InstanceID{"tally", 5})[0]
	if d := orders.Destinations(); len(d) != 1 || d[0].Branch() != ">tally" || d[0].Instance != 5 {
		t.Errorf("destinations %+v", d)
	}
	for got, want := range map[string]string{
		edge.String():                  "orders>tally.5",
		edge.ID(33):                    "shop.orders>tally.5:33",
		edge.Branch():                  ">tally",
		fmt.Sprint(edge.Partition()):   "5",
		fmt.Sprint(edge.Destination()): "0",
		tally.Layout().InstanceOf("tally", "any").String(): "tally.5",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	tally.Lay(Layout{})
	if tally.Width() != 1 || tally.Layout().IsDivided() {
		t.Errorf("as declared: %+v", tally.Layout())
	}
	for name, want := range map[string]bool{"tally.7": true, "tally": false, "tally.": false, "tally.-1": false, "tally.x": false} {
		if id, err := ParseInstance(name); (err == nil) != want || want && id.String() != name {
			t.Errorf("%s: %v, %v", name, id, err)
		}
	}
}
