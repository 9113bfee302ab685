package supervise_test

import "penstock/engine/supervise"

// badEnds break the rules of shutdown, health and commands.
func badEnds() map[string]badLog {
	const (
		abEnd    = "11 a ended 0 ends; 11 a stopped normal; 11 b ended 1 ends; 11 b stopped normal\n"
		cEnds    = "11 c ended 1 ends; 11 c stopped normal\n"
		cHangs   = allUp + bFails + "5 c told 0; 10 c abandoned;"
		bAlone   = "10 b restarting 1; 10 b began 1\n"
		cToo     = "10 c restarting; 10 c began 1\n"
		cGivenUp = "10 c givenup shutdown\n"
	)
	temporary := func(root *node) { root.kids[2].policy = supervise.Temporary }
	one := func(root *node) { root.kids = root.kids[:1] }
	return map[string]badLog{
		"down in the end": {
			root: family(supervise.OneForOne, 3, one),
			good: "0 a starting; 0 a began 0; 100 - settled running",
			bad:  "0 a starting; 0 a began 0; 5 a ended 0 fails; 5 a fault error; 5 a backoff 1 1s error; 5 - settled running",
			rule: upAgain,
		},
		"wrong status": {
			root: family(supervise.OneForOne, 3, one),
			good: "0 a starting; 0 a began 0; 5 a ended 0 ends; 5 a stopped normal; 100 - settled ended",
			bad:  "0 a starting; 0 a began 0; 5 a ended 0 ends; 5 a stopped normal; 100 - settled running",
			rule: upAgain,
		},
		"shutdown forwards": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + "5 - cancelled;" + cStops + "5 b told 0",
			bad:  allUp + "5 - cancelled; 5 b told 0; 5 b ended 0 obeys; 5 b stopped shutdown; 5 c told 0",
			rule: inOrder,
		},
		"left running": {
			root: family(supervise.OneForOne, 3, one),
			good: "0 a starting; 0 a began 0; 5 - cancelled; 5 a told 0; 5 a ended 0 obeys; 5 a stopped shutdown; 5 - returned canceled",
			bad:  "0 a starting; 0 a began 0; 5 - cancelled; 5 - returned canceled",
			rule: atTheEnd,
		},
		"event after Serve": {
			root: family(supervise.OneForOne, 3, one),
			good: "0 a starting; 0 a began 0; 5 a ended 0 ends; 5 a stopped normal; 5 - returned",
			bad:  "0 a starting; 0 a began 0; 5 a ended 0 ends; 5 a stopped normal; 5 - returned; 5 a up",
			rule: atTheEnd,
		},
		"returned for nothing": {
			root: family(supervise.OneForOne, 3, one),
			good: "0 a starting; 0 a began 0; 5 a ended 0 ends; 5 a stopped normal; 5 - returned",
			bad:  "0 a starting; 0 a began 0; 5 a ended 0 ends; 5 a stopped normal; 5 - returned limit",
			rule: atTheEnd,
		},
		"something fatal lost": {
			root: family(supervise.OneForOne, 3, one),
			good: "0 a starting; 0 a began 0; 5 a ended 0 fatal; 5 a escalated panic fatal; 5 - returned fatal",
			bad:  "0 a starting; 0 a began 0; 5 a ended 0 fatal; 5 a escalated panic fatal; 5 - returned",
			rule: atTheEnd,
		},
		"abandoned and not named": {
			root: family(supervise.OneForOne, 3, one),
			good: "0 a starting; 0 a began 0; 5 - cancelled; 5 a told 0; 5 a ended 0 obeys; 5 a stopped shutdown; 5 - returned canceled",
			bad:  "0 a starting; 0 a began 0; 5 - cancelled; 5 a told 0; 10 a abandoned; 10 - returned canceled",
			rule: atTheEnd,
		},
		"left behind long ago and not named": {
			root: family(supervise.RestForOne, 3, temporary),
			good: cHangs + cGivenUp + bAlone + abEnd + "11 - returned left",
			bad:  cHangs + cGivenUp + bAlone + abEnd + "11 - returned",
			rule: atTheEnd,
		},
		"named though it came back": {
			root: family(supervise.RestForOne, 3, temporary),
			good: cHangs + cGivenUp + bAlone + "10.5 c ended 0 fails;" + abEnd + "11 - returned",
			bad:  cHangs + cGivenUp + bAlone + "10.5 c ended 0 fails;" + abEnd + "11 - returned left",
			rule: atTheEnd,
		},
		"named for an earlier life": {
			root: family(supervise.RestForOne, 3, nil),
			good: cHangs + bAlone + cToo + abEnd + cEnds + "12 - returned",
			bad:  cHangs + bAlone + cToo + abEnd + cEnds + "12 - returned left",
			rule: atTheEnd,
		},
		"started after an escalation": {
			root: family(supervise.OneForOne, 1, nil),
			good: allUp + bFails + "5.5 a ended 0 fails; 5.5 a fault error; 5.5 a escalated error limit; 5.5 c told 0",
			bad:  allUp + bFails + "5.5 a ended 0 fails; 5.5 a fault error; 5.5 a escalated error limit; 6 b restarting 1",
			rule: atTheEnd,
		},
		"does not return": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp,
			bad:  allUp + "5 - cancelled; 5 - stuck",
			rule: atTheEnd,
		},
		"healthy and stopped": {
			root: family(supervise.OneForOne, 3, func(root *node) { root.kids[1].check = supervise.Check{Threshold: 2, Interval: 1, Timeout: 1} }),
			good: allUp + "1 b probed bad; 2 b probed bad; 2 b unwell 0",
			bad:  allUp + "1 b probed bad; 2 b probed; 3 b probed bad; 3 b unwell 0",
			rule: wellFound,
		},
		"unhealthy and not stopped": {
			root: family(supervise.OneForOne, 3, func(root *node) { root.kids[1].check = supervise.Check{Threshold: 2, Interval: 1, Timeout: 1} }),
			good: allUp + "1 b probed bad; 2 b probed bad; 2 b unwell 0; 3 b probed bad",
			bad:  allUp + "1 b probed bad; 2 b probed bad; 3 b probed bad",
			rule: wellFound,
		},
		"stopped by an operator and restarted": {
			root: family(supervise.OneForAll, 3, nil),
			good: allUp + "4 c stop;" + "4 c told 0; 4 c ended 0 obeys; 4 c stopped shutdown; 4 c done\n" + bFails + aStops + "6 a restarting\n" + bAgain,
			bad:  allUp + "4 c stop;" + "4 c told 0; 4 c ended 0 obeys; 4 c stopped shutdown; 4 c done\n" + bFails + aStops + "6 a restarting; 6 c restarting\n" + bAgain,
			rule: byPolicy,
		},
		"not stopped by an operator": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + "4 c stop; 4 c told 0; 4 c ended 0 obeys; 4 c stopped shutdown; 4 c done",
			bad:  allUp + "4 c stop; 4 c done",
			rule: obedient,
		},
	}
}
