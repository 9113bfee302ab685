package supervise_test

import (
	"time"

	"penstock/engine/supervise"
)

// badRestarts break the rules of order, reach, limit and delay.
func badRestarts() map[string]badLog {
	return map[string]badLog{
		"restarted before all have stopped": {
			root: family(supervise.OneForAll, 3, nil),
			good: allUp + bFails + cStops + aStops + "6 a restarting; 6 a began 1; " + bAgain + "6 c restarting; 6 c began 1",
			bad:  allUp + bFails + cStops + "5 a told 0; 6 a restarting; 6 a began 1; " + bAgain + "6 c restarting; 6 c began 1",
			rule: inOrder,
		},
		"stopped forwards": {
			root: family(supervise.OneForAll, 3, nil),
			good: allUp + bFails + cStops + aStops,
			bad:  allUp + bFails + aStops + cStops,
			rule: inOrder,
		},
		"two stopping at a time": {
			root: family(supervise.OneForAll, 3, nil),
			good: allUp + bFails + "5 c told 0; 5 c ended 0 obeys; 5 c stopped shutdown; 5 a told 0",
			bad:  allUp + bFails + "5 c told 0; 5 a told 0",
			rule: inOrder,
		},
		"started backwards": {
			root: family(supervise.RestForOne, 3, nil),
			good: allUp + bFails + cStops + bAgain + "6 c restarting; 6 c began 1",
			bad:  allUp + bFails + cStops + "6 c restarting; 6 c began 1\n" + bAgain,
			rule: inOrder,
		},
		"first start out of order": {
			root: family(supervise.OneForOne, 3, nil),
			good: "0 a starting; 0 b starting",
			bad:  "0 b starting; 0 a starting",
			rule: inOrder,
		},
		"sibling left down": {
			root: family(supervise.RestForOne, 3, nil),
			good: allUp + bFails + cStops + bAgain + "6 c restarting; 7 - cancelled",
			bad:  allUp + bFails + cStops + bAgain + "7 - cancelled",
			rule: inOrder,
		},
		"two lives": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + bFails + bAgain,
			bad:  allUp + "5 b began 1",
			rule: inOrder,
		},
		"two lives without abandoning": {
			root: family(supervise.RestForOne, 3, nil),
			good: allUp + bFails + "5 c told 0; 10 c abandoned; 10 b restarting 1; 10 c restarting; 10 c began 1",
			bad:  allUp + bFails + "5 c told 0; 10 b restarting 1; 10 c restarting; 10 c began 1",
			rule: inOrder,
		},
		"sibling stopped under one_for_one": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + bFails + bAgain,
			bad:  allUp + bFails + cStops + bAgain,
			rule: inReach,
		},
		"earlier sibling stopped under rest_for_one": {
			root: family(supervise.RestForOne, 3, nil),
			good: allUp + bFails + cStops,
			bad:  allUp + bFails + cStops + aStops,
			rule: inReach,
		},
		"restarted for nothing": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + bFails + bAgain,
			bad:  allUp + bFails + "6 c restarting",
			rule: inReach,
		},
		"one restart too many": {
			root: family(supervise.OneForOne, 1, nil),
			good: allUp + bFails + "6 a ended 0 fails; 6 a fault error; 6 a escalated error limit",
			bad:  allUp + bFails + "6 a ended 0 fails; 6 a fault error; 6 a backoff 1 1s error",
			rule: inLimit,
		},
		"one restart too few": {
			root: family(supervise.OneForOne, 2, nil),
			good: allUp + bFails + "6 a ended 0 fails; 6 a fault error; 6 a backoff 1 1s error",
			bad:  allUp + bFails + "6 a ended 0 fails; 6 a fault error; 6 a escalated error limit",
			rule: inLimit,
		},
		"the account of another": {
			root: family(supervise.OneForOne, 1, func(root *node) { root.kids[0].own = &supervise.Limit{Restarts: 1, Window: time.Minute} }),
			good: allUp + bFails + "6 a ended 0 fails; 6 a fault error; 6 a backoff 1 1s error",
			bad:  allUp + bFails + "6 a ended 0 fails; 6 a fault error; 6 a escalated error limit",
			rule: inLimit,
		},
		"a window that does not slide": {
			root: family(supervise.OneForOne, 1, nil),
			good: allUp + bFails + bAgain + "65 a ended 0 fails; 65 a fault error; 65 a backoff 1 1s error",
			bad:  allUp + bFails + bAgain + "65 a ended 0 fails; 65 a fault error; 65 a escalated error limit",
			rule: inLimit,
		},
		"restarted too early": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + bFails + bAgain,
			bad:  allUp + bFails + "5.9 b restarting 1",
			rule: inTime,
		},
		"restarted too late": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + bFails + bAgain,
			bad:  allUp + bFails + "6.1 b restarting 1",
			rule: inTime,
		},
		"delay that does not grow": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + bFails + bAgain + "7 b ended 1 fails; 7 b fault error; 7 b backoff 2 2s error",
			bad:  allUp + bFails + bAgain + "7 b ended 1 fails; 7 b fault error; 7 b backoff 1 1s error",
			rule: inTime,
		},
		"abandoned too early": {
			root: family(supervise.RestForOne, 3, nil),
			good: allUp + bFails + "5 c told 0; 10 c abandoned",
			bad:  allUp + bFails + "5 c told 0; 9 c abandoned",
			rule: inTime,
		},
		"never abandoned": {
			root: family(supervise.RestForOne, 3, nil),
			good: allUp + bFails + "5 c told 0; 10 c abandoned; 10 b restarting 1; 10 c restarting; 12 - cancelled",
			bad:  allUp + bFails + "5 c told 0; 12 - cancelled",
			rule: inTime,
		},
	}
}
