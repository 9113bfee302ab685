package supervise_test

import "penstock/engine/supervise"

// badPolicies break the rules of what follows an end.
func badPolicies() map[string]badLog {
	temporary := func(name int) func(*node) {
		return func(root *node) { root.kids[name].policy = supervise.Temporary }
	}
	recovering := func(root *node) { root.kids[1].script.recover = []answer{} }
	return map[string]badLog{
		"temporary child restarted": {
			root: family(supervise.OneForOne, 3, temporary(1)),
			good: allUp + "5 b ended 0 fails; 5 b fault error; 5 b givenup error",
			bad:  allUp + bFails,
			rule: byPolicy,
		},
		"temporary child restarted with a sibling": {
			root: family(supervise.RestForOne, 3, temporary(2)),
			good: allUp + bFails + cStops + "5 c givenup shutdown\n" + bAgain,
			bad:  allUp + bFails + cStops + bAgain + "6 c restarting",
			rule: byPolicy,
		},
		"given up though it is transient": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + bFails,
			bad:  allUp + "5 b ended 0 fails; 5 b fault error; 5 b givenup error",
			rule: byPolicy,
		},
		"ended and restarted": {
			root: family(supervise.OneForAll, 3, nil),
			good: allUp + "4 a ended 0 ends; 4 a stopped normal;" + bFails + cStops + bAgain + "6 c restarting",
			bad:  allUp + "4 a ended 0 ends; 4 a stopped normal;" + bFails + cStops + "6 a restarting\n" + bAgain + "6 c restarting",
			rule: byPolicy,
		},
		"wrong reason": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + "5 b ended 0 panics; 5 b fault panic",
			bad:  allUp + "5 b ended 0 panics; 5 b fault error",
			rule: byPolicy,
		},
		"end without consequence": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + bFails + bAgain + "7 - cancelled",
			bad:  allUp + "5 b ended 0 fails; 5 b fault error; 7 - cancelled",
			rule: byPolicy,
		},
		"asked about a normal end": {
			root: family(supervise.OneForOne, 3, recovering),
			good: allUp + "5 b ended 0 fails; 5 b fault error; 5 b asked fails error; 5 b backoff 1 1s error",
			bad:  allUp + "5 b ended 0 ends; 5 b asked fails normal; 5 b stopped normal",
			rule: byPolicy,
		},
		"recovery function not asked": {
			root: family(supervise.OneForOne, 3, recovering),
			good: allUp + "5 b ended 0 fails; 5 b fault error; 5 b asked fails error; 5 b backoff 1 1s error",
			bad:  allUp + bFails,
			rule: byPolicy,
		},
		"escalation not heard": {
			root: family(supervise.OneForOne, 3, nil),
			good: allUp + "5 b ended 0 escalates; 5 b fault error; 5 b escalated error limit",
			bad:  allUp + "5 b ended 0 escalates; 5 b fault error; 5 b backoff 1 1s error",
			rule: byPolicy,
		},
	}
}
