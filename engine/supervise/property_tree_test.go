package supervise_test

import (
	"fmt"
	"strings"
	"time"

	"penstock/engine/supervise"
)

// node is a child of the drawn tree, or its root.
type node struct {
	name, path string // path is from the root, with slashes
	parent     *node
	index      int

	policy      supervise.Policy
	backoff     supervise.Backoff
	own         *supervise.Limit
	stopTimeout time.Duration
	script      script
	check       supervise.Check

	group    bool
	strategy supervise.Strategy
	limit    supervise.Limit
	kids     []*node
}

func (n *node) add(name string) *node {
	k := &node{name: name, path: join(n.path, name), parent: n, index: len(n.kids)}
	n.kids = append(n.kids, k)
	return k
}

func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, k := range n.kids {
		k.walk(visit)
	}
}

func (n *node) String() string {
	var b strings.Builder
	n.walk(func(n *node) {
		fmt.Fprintf(&b, "%q", n.path)
		if n.parent != nil {
			fmt.Fprintf(&b, " %v backoff %v..%v x%v quiet %v", n.policy, n.backoff.Initial, n.backoff.Max, n.backoff.Multiplier, n.backoff.Quiet)
		}
		if n.own != nil {
			fmt.Fprintf(&b, " own limit %v", *n.own)
		}
		if n.group {
			fmt.Fprintf(&b, " %v limit %v", n.strategy, n.limit)
		} else {
			fmt.Fprintf(&b, " stop timeout %v parts %+v", n.stopTimeout, n.script.parts)
		}
		if n.script.recover != nil {
			fmt.Fprintf(&b, " recover %+v", n.script.recover)
		}
		if n.script.probes != nil {
			fmt.Fprintf(&b, " check %v/%v/%d %+v", n.check.Interval, n.check.Timeout, n.check.Threshold, n.script.probes)
		}
		b.WriteByte('\n')
	})
	return b.String()
}

func join(group, child string) string {
	if group == "" {
		return child
	}
	return group + "/" + child
}
