// Command leaders measures how long a pipeline stands still when the leaders of its streams die, compared with a plain
// publisher beside it: a cluster of three servers, replicas 3, of which one that leads a stream is killed (SIGKILL) each so
// often and started again.
//
//	go run ./tests/leaders -kills 10 -every 10s -seed 1
//
// It prints the longest pause of both, their ratio, and whether the pipeline's result is exact.
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
	down     time.Duration
	seed     uint64
	stepDown bool
	log      string
	node     string
}

func main() {
	var o options
	flag.IntVar(&o.kills, "kills", 10, "how many leaders to kill")
	flag.DurationVar(&o.every, "every", 10*time.Second, "time between two kills")
	flag.DurationVar(&o.down, "down", 3*time.Second, "how long a killed server is away")
	flag.Uint64Var(&o.seed, "seed", 1, "chooses which stream's leader dies")
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
	plain.pauses.reset()
	pipeline.pauses.reset()
	random := rand.New(rand.NewPCG(o.seed, 0))
	for k := range o.kills {
		time.Sleep(o.every)
		streams := []string{"plain", "leaders+numbers", "leaders+sums", "leaders+sink"}
		who, err := cluster.fell(streams[random.IntN(len(streams))], o)
		if err != nil {
			return err
		}
		fmt.Printf("%2d: %s; longest pauses so far: plain %v, pipeline %v\n", k+1, who,
			plain.pauses.longest(), pipeline.pauses.longest())
	}
	time.Sleep(o.every)
	p, q := plain.pauses.longest(), pipeline.pauses.longest()
	fmt.Printf("kills %d, each %v, seed %d: plain publisher %v (of %d), pipeline %v (of %d): ratio %.2f\n", o.kills, o.every, o.seed,
		p, plain.pauses.count(), q, pipeline.pauses.count(), q.Seconds()/p.Seconds())
	return pipeline.finish()
}
