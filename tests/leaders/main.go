// Command leaders measures how long a pipeline stands still when the leaders of its streams die, compared with a plain
// publisher beside it that writes to as many streams. It starts a cluster of three servers, with replicas 3. Before
// each kill (SIGKILL) one server leads all streams, so that each kill stops both. It is started again after a while,
// and the next kill waits until both have gone on.
//
//	go run ./tests/leaders -kills 10 -every 10s -seed 1
//
// It prints how long both stood still after each kill, the ratio of the medians, and whether the pipeline's result is
// exact. A ratio above -limit is a failure: exit code 1.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"
)

type options struct {
	kills    int
	every    time.Duration
	limit    float64
	down     time.Duration
	seed     uint64
	stepDown bool
	log      string
	node     string
}

func main() {
	var o options
	flag.IntVar(&o.kills, "kills", 10, "how many leaders to kill")
	flag.DurationVar(&o.every, "every", 10*time.Second, "time between two kills, at least")
	flag.Float64Var(&o.limit, "limit", 1.5, "the highest ratio, pipeline to plain publisher")
	flag.DurationVar(&o.down, "down", 3*time.Second, "how long a killed server is away")
	flag.Uint64Var(&o.seed, "seed", 1, "chooses which server dies")
	flag.BoolVar(&o.stepDown, "step-down", false, "the leaders step down and no server is killed")
	flag.StringVar(&o.log, "log", "error", "level of the pipeline's log: debug, info, warn or error")
	flag.StringVar(&o.node, "node", "", "this process is a server of the cluster; for the command itself")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "leaders:", err)
		os.Exit(1)
	}
}

func (o options) run() error {
	if o.node == "" {
		return measure(o)
	}
	var n node
	if err := json.Unmarshal([]byte(o.node), &n); err != nil {
		return err
	}
	return n.serve()
}

func measure(o options) (err error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.log)); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	dir, err := os.MkdirTemp("", "penstock-leaders")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cluster, err := startCluster(dir)
	if err != nil {
		return err
	}
	defer cluster.stop()
	plain, err := startPublisher(cluster.urls())
	if err != nil {
		return err
	}
	defer plain.stop()
	pipeline := startPipeline(dir, cluster.urls(), logger)
	if err := pipeline.waitRunning(); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(o.seed, 0))
	var rounds rounds
	for range o.kills {
		r, err := o.round(cluster, random.IntN(len(cluster.nodes)), &plain.pauses, &pipeline.pauses)
		if err != nil {
			return err
		}
		rounds = append(rounds, r)
		fmt.Printf("%2d: %s: plain %v, pipeline %v\n", len(rounds), r.fallen, r.plain, r.pipeline)
	}
	if err := pipeline.finish(); err != nil || len(rounds) == 0 {
		return err
	}
	ratio := rounds.ratio()
	fmt.Printf("kills %d, each %v or more, seed %d: ratio of the medians %.2f\n", o.kills, o.every, o.seed, ratio)
	if ratio > o.limit {
		return fmt.Errorf("the ratio %.2f is above %.2f: the pipeline stands still longer than the plain publisher", ratio, o.limit)
	}
	return nil
}
