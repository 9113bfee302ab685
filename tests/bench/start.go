package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"penstock/engine"
)

const (
	committedLine = "committed"

	startAim = 300 // milliseconds
	idleAim  = 80  // MB
)

// measureStart starts processes that run a small pipeline with the default
// settings on a new directory.
func measureStart(ctx context.Context, b *bench) error {
	var starts, idles []float64
	for round := range b.rounds {
		start, idle, err := b.start(ctx)
		if err != nil {
			return err
		}
		b.tell("start, round %d: first commit after %.0f ms, %.1f MB when idle", round+1, start, idle)
		starts = append(starts, start)
		if idle > 0 {
			idles = append(idles, idle)
		}
	}
	b.report.add(figure{Case: "process start", Sync: "always", System: ours, What: "ms to first commit", Rounds: starts,
		Aim: &aim{Below: startAim}, Guarantee: "source and sink committed, on disk"})
	if len(idles) > 0 {
		b.report.add(figure{Case: "idle pipeline", Sync: "always", System: ours, What: "MB RSS", Rounds: idles, Aim: &aim{Below: idleAim}})
	}
	return nil
}

// start runs one child and returns the milliseconds from exec until the sink
// has committed its first message, and the memory in MB after the idle time (0
// where the system does not tell).
func (b *bench) start(ctx context.Context) (start, idle float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return 0, 0, fmt.Errorf("find this program: %w", err)
	}
	dir := b.fresh()
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, self, "-child", dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return 0, 0, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, fmt.Errorf("start a process: %w", err)
	}
	line, readErr := bufio.NewReader(stdout).ReadString('\n')
	start = milliseconds(time.Since(began))
	if readErr == nil && strings.TrimSpace(line) == committedLine {
		select {
		case <-time.After(b.idle):
			idle = resident(cmd.Process.Pid)
		case <-ctx.Done():
		}
	} else {
		err = fmt.Errorf("the process said %q, not that it had committed", line)
	}
	_ = stdin.Close() // asks it to stop
	if waited := cmd.Wait(); waited != nil {
		err = fmt.Errorf("the process that was started: %w", waited)
	}
	return start, idle, err
}

// resident is the resident memory of a process in MB (a million bytes), 0 if
// it cannot be read.
func resident(pid int) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kib, _ := strconv.ParseFloat(fields[1], 64)
			return kib * 1024 / 1e6
		}
	}
	return 0
}

// child is the process that is measured: a source that emits one message and
// then nothing more. It says when the sink has committed the message, and
// stops when its input is closed.
func child(ctx context.Context, dir string, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the process: a read of the input cannot be interrupted
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	p := engine.New("small")
	one := engine.Source(p, "one", func(ctx context.Context, sent *bool, emit engine.Emit[string]) error {
		if *sent {
			<-ctx.Done()
			return ctx.Err()
		}
		*sent = true
		emit("hello")
		return nil
	})
	engine.Sink(p, "sink", one, func(_ context.Context, count *uint64, _ engine.Message[string]) error {
		*count++
		return nil
	})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		awaitCommit(ctx, p, out)
	}()
	err := p.Run(ctx, engine.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	cancel()
	<-watched
	return err
}

// awaitCommit says when the last stage has taken a message for good.
func awaitCommit(ctx context.Context, p *engine.Pipeline, out io.Writer) {
	look := time.NewTicker(time.Millisecond / 2)
	defer look.Stop()
	for {
		if stages := p.Status().Stages; len(stages) > 0 && stages[len(stages)-1].In > 0 {
			fmt.Fprintln(out, committedLine)
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}
