// Package crash kills pipelines and checks that the result is still exactly right.
//
// A victim (see the program in victim) runs a workload in a process of its own: fizzbuzz, wordcount, and the ledger,
// whose results cannot be computed a second time. The tests kill it by SIGKILL, at every fault point and at random
// moments, start it again on the same directory, and compare what it leaves in the end with a reference that is
// computed separately. The poisoned pipeline (see the package poison) has messages that kill the process. They and no
// others must become dead letters, with and without the guard of the command. Its dead letters are also replayed, and
// the process is killed at every step of that. Other tests stop an owner while another takes over, kill or remove its
// server, purge its channels, and remove the rules of the commit protocol one by one to show that the comparison
// notices.
//
// What is chosen at random comes from a seed that is logged. The environment sets how much is done:
//
//	PENSTOCK_CRASH_SEED=7     repeat the choices of a run
//	PENSTOCK_CRASH_KILLS=20   kills for each fault point, workload and duplicate window; default 3, with -short 1
//	                          (of the steps of diversions and replays 1)
//	PENSTOCK_CRASH_KILLERS=10 messages that kill the process, for each way to do so; default 1
//	PENSTOCK_CRASH_RACE=1     build the victims with the race detector
//	PENSTOCK_OUTAGE=3m        how long the server is away; default 3s
//	PENSTOCK_WORDCOUNT=all    count the words of the whole Go source tree instead of a part of it
package crash
