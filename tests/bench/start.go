package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
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
	dir := b.fresh()
	defer os.RemoveAll(dir)
	c, start, err := spawn(ctx, "-child", dir)
	if err != nil {
		return 0, 0, err
	}
	select {
	case <-time.After(b.idle):
		idle = c.resident()
	case <-ctx.Done():
	}
	return start, idle, c.stop()
}

// spawned is a process of this program that has committed something.
type spawned struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

// spawn starts one and waits for its commit, which it tells from the exec on.
func spawn(ctx context.Context, arguments ...string) (s *spawned, millis float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, 0, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, arguments...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, 0, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, 0, fmt.Errorf("start a process: %w", err)
	}
	s = &spawned{cmd, stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	millis = milliseconds(time.Since(began))
	if err != nil || strings.TrimSpace(line) != committedLine {
		err = fmt.Errorf("the process said %q, not that it had committed", line)
		if stopped := s.stop(); stopped != nil {
			err = stopped
		}
		return nil, 0, err
	}
	return s, millis, nil
}

func (s *spawned) resident() float64 {
	return procField(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid), "VmRSS:") * 1024 / 1e6
}

// stop asks the process to drain and end.
func (s *spawned) stop() error {
	_ = s.stdin.Close()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the process that was started: %w", err)
	}
	return nil
}

// kill ends it as a power button would, but for the page cache.
func (s *spawned) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // says that it was killed
}

// child is the process that is measured: a source that emits one message and
// then nothing more. It says when the sink has committed the message, and
// stops when its input is closed.
func child(ctx context.Context, dir string, in io.Reader, out io.Writer) error {
	ctx, cancel := untilClosed(ctx, in)
	defer cancel()
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
	return runChild(ctx, p, dir, 0, func() uint64 { return 1 }, out)
}

// untilClosed is a context that is done when the input ends.
func untilClosed(ctx context.Context, in io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() { // ends with the process: a read of the input cannot be interrupted
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	return ctx, cancel
}

// runChild runs the pipeline until ctx is done, and says when its last stage
// has taken as many messages for good as wanted says.
func runChild(ctx context.Context, p *engine.Pipeline, dir string, sync time.Duration, wanted func() uint64, out io.Writer) error {
	watching, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		awaitCommit(watching, p, wanted, out)
	}()
	err := p.Run(ctx, engine.Config{Dir: dir, Sync: sync, Logger: slog.New(slog.DiscardHandler)})
	cancel()
	<-watched
	return err
}

// awaitCommit says when the last stage has taken that many messages for good.
func awaitCommit(ctx context.Context, p *engine.Pipeline, wanted func() uint64, out io.Writer) {
	look := time.NewTicker(time.Millisecond / 2)
	defer look.Stop()
	for {
		if stages := p.Status().Stages; len(stages) > 0 && stages[len(stages)-1].In >= wanted() {
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
