// Chaos is the fault campaign: it runs generated pipelines, injects faults that happen to machines, and checks the
// result.
//
//	go run ./tests/chaos                                     a short campaign of every fault
//	go run ./tests/chaos -seed 7 -cycles 1000                a longer one
//	go run ./tests/chaos -faults kill,broker-kill+kill       these, and a pair
//	go run ./tests/chaos -faults pairs -cycles 500           pairs of all that go together
//	go run ./tests/chaos -faults damage -cycles 1000         files damaged, of each kind as often
//	go run ./tests/chaos -list                               what faults there are
//	go run ./tests/chaos -seed 7 -cycle 118 -v               cycle 118 of that campaign alone, with its log
//	go run -tags penstock_mutation ./tests/chaos -mutations  rules of the protocol removed: is it noticed, and how soon?
//
// A cycle draws a pipeline from the seed (see the package workload), runs it in its own process, injects one fault, or
// a pair of which the second comes during the first, and lets the pipeline come to its end. Then the oracle checks from
// outside: every id is where it must be once, dead letters are exactly the poison, states are what a reference
// computes, and random numbers in outputs agree with those in states. Whenever the pipeline comes back, it must still
// have each commit that it reported. No owner has committed after another took over.
//
// A cycle ends as exact, as refused (where a fault may destroy what cannot be made again: the pipeline then must say
// so, with the remedy, and not go on), or as violated. The command ends with 0 if none is violated, with 1 if one is,
// and with 2 if the campaign itself failed.
//
// The same seed gives the same pipelines and the same choices. The moments differ: they depend on the machine.
//
// Faults that need a file system of their own mount one, which takes root; without that they are skipped, and the
// report says so. Power is cut by the shutdown ioctl of ext4 on a loop device. That loses what the system had not
// written, as a crash of the kernel does. It does not show what the cache of a disk would lose.
package main
