// The command soak shows that what a pipeline uses does not grow over a long time, and how soon a killed pipeline with
// much state goes on:
//
//	go run ./tests/soak -duration 30m -json soak.json -svg docs/soak
//	go run ./tests/soak -restarts 40 -keys 1000000
//
// In a soak two processes carry the same bounded load side by side: a source, a fan-out with a branch, two keyed
// stages, a stage with timers, sinks, and poison that becomes dead letters, which are kept for a bounded time. Every
// few seconds some stage is made to panic, to fail, to hang past its deadline, to hang beyond being stopped, or is
// restarted by hand. One process lives all the time, and reports what it uses: memory, goroutines, open files, disk.
// The other is killed and started again and again: its disk use must stay as flat. At the end every sum of both must be
// exact.
//
// The slope of a measure is that of Theil and Sen, with its 95% interval, over medians of short spans. A measure is
// flat when a day at this slope would add less than its bound, or when the interval does not exclude that it falls.
//
// With -restarts a pipeline with -keys keys and a backlog is killed under load and started again. The time is from
// before the exec until the keyed stage's first new commit.
//
// Memory and files are read from /proc, so this needs Linux.
package main
