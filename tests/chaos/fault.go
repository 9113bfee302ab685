//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"penstock/tests/chaos/workload"
)

// fault is something that happens to a pipeline.
type fault struct {
	name string
	what string
	needs
	// inject makes it happen to the running victim, and ends it. In the midst it calls during, which may inject another.
	inject func(c *cycle, during func() error) error
}

// needs is what a fault takes, or permits.
type needs struct {
	server  bool // of NATS in a process of its own
	proxy   bool // between the victim and the server
	noFiles bool // no sink that writes files
	volume  volumeKind
	sync    bool // with a sync interval
	// refusal: what it does may be beyond repair; then the pipeline must refuse to go on, and say what to do.
	refusal  bool
	readOnly bool // it takes the right to write to the disk
	writes   bool // it writes to the files of the pipeline itself
	full     bool // it fills a disk
	space    bool // what it does takes space
}

// and is what both need together; ok is false when they do not go together.
func (n needs) and(m needs) (both needs, ok bool) {
	both = needs{
		server: n.server || m.server, proxy: n.proxy || m.proxy, noFiles: n.noFiles || m.noFiles,
		volume: max(n.volume, m.volume), sync: n.sync || m.sync, refusal: n.refusal || m.refusal, readOnly: n.readOnly || m.readOnly, writes: n.writes || m.writes,
		full: n.full || m.full, space: n.space || m.space,
	}
	if n.volume != noVolume && m.volume != noVolume && n.volume != m.volume {
		return both, false
	}
	// A sync interval is about the embedded server, and so is a volume, but that of the server's own.
	embedded := both.sync || both.volume == smallVolume || both.volume == diskVolume
	return both, !(both.server && embedded) && !(both.readOnly && both.writes) && !(both.full && both.space)
}

// faults are all there are.
func faults() []fault {
	var all []fault
	all = append(all, processFaults()...)
	all = append(all, clockFaults()...)
	all = append(all, serverFaults()...)
	all = append(all, networkFaults()...)
	all = append(all, diskFaults()...)
	all = append(all, damageFaults()...)
	all = append(all, streamFaults()...)
	return all
}

// ordeal is what a cycle goes through: one fault, or one in the midst of another.
type ordeal []fault

func (o ordeal) String() string {
	var names []string
	for _, f := range o {
		names = append(names, f.name)
	}
	return strings.Join(names, "+")
}

func (o ordeal) needs() (all needs, ok bool) {
	ok = true
	for _, f := range o {
		var fits bool
		all, fits = all.and(f.needs)
		ok = ok && fits
	}
	return all, ok
}

// ordeals reads the flag -faults.
func ordeals(list string) (chosen []ordeal, err error) {
	for name := range strings.SplitSeq(list, ",") {
		switch name {
		case "all":
			chosen = append(chosen, alone()...)
		case "pairs":
			chosen = append(chosen, pairs()...)
		case "mixed":
			chosen = append(chosen, mixed()...)
		case "damage":
			for _, f := range damageFaults() {
				chosen = append(chosen, ordeal{f})
			}
		default:
			o, err := parseOrdeal(name)
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, o)
		}
	}
	return chosen, nil
}

func parseOrdeal(text string) (o ordeal, err error) {
	for name := range strings.SplitSeq(text, "+") {
		f, found := faultNamed(name)
		if !found {
			return nil, fmt.Errorf("unknown fault %q: -list names them", name)
		}
		o = append(o, f)
	}
	if len(o) > 2 {
		return nil, fmt.Errorf("%s: at most two faults at once", text)
	}
	if _, ok := o.needs(); !ok {
		return nil, fmt.Errorf("%s: they do not go together", text)
	}
	return o, nil
}

func faultNamed(name string) (fault, bool) {
	for _, f := range faults() {
		if f.name == name {
			return f, true
		}
	}
	return fault{}, false
}

func alone() (list []ordeal) {
	for _, f := range faults() {
		list = append(list, ordeal{f})
	}
	return list
}

func pairs() (list []ordeal) {
	for _, a := range faults() {
		for _, b := range faults() {
			o := ordeal{a, b}
			if _, ok := o.needs(); ok {
				list = append(list, o)
			}
		}
	}
	return list
}

// mixed is each fault alone, each time followed by some pairs that begin with it.
func mixed() (list []ordeal) {
	all := faults()
	for turn := range all {
		for k, f := range all {
			list = append(list, ordeal{f})
			o := ordeal{f, all[(k+turn)%len(all)]}
			if _, ok := o.needs(); ok {
				list = append(list, o)
			}
		}
	}
	return list
}

func (n needs) workload(ids uint64) workload.Needs {
	return workload.Needs{NoFiles: n.noFiles, IDs: ids}
}

func listFaults(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, f := range faults() {
		fmt.Fprintf(table, "%s\t%s\n", f.name, f.what)
	}
	_ = table.Flush()
}
