package register_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/register"
	"penstock/internal/testing/natsserver"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// serverLog is an instance's channel on a real server, without what package channel does besides.
type serverLog struct {
	js           jetstream.JetStream
	stream       jetstream.Stream
	commits, own string
	limit        time.Duration
}

var _ register.Log = (*serverLog)(nil)

func newServerLog(t testing.TB, s *natsserver.Server, replicas int) *serverLog {
	t.Helper()
	js := s.JetStream()
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "p+s", Subjects: []string{"p.s.0", "p.s.0.own"}, Storage: jetstream.FileStorage, Replicas: replicas,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &serverLog{js: js, stream: stream, commits: "p.s.0", own: "p.s.0.own", limit: 10 * time.Second}
}

var wrongSequence = []jetstream.ErrorCode{jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant}

func (l *serverLog) send(subject, on string, expected uint64, data []byte) *channel.Pending {
	pending, settle := channel.NewPending()
	msg := nats.NewMsg(subject)
	msg.Data = slices.Clone(data)
	msg.Header.Set("Nats-Expected-Last-Subject-Sequence", strconv.FormatUint(expected, 10))
	if on != subject {
		msg.Header.Set("Nats-Expected-Last-Subject-Sequence-Subject", on)
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), l.limit)
		defer cancel()
		ack, err := l.js.PublishMsg(ctx, msg)
		refused := &jetstream.APIError{}
		switch {
		case err == nil:
			settle(ack.Sequence, nil)
		case errors.As(err, &refused) && slices.Contains(wrongSequence, refused.ErrorCode):
			settle(0, fmt.Errorf("%w: %w", channel.ErrConflict, err))
		default:
			settle(0, fmt.Errorf("%w: %w", channel.ErrUnknown, err))
		}
	}()
	return pending
}

func (l *serverLog) Publish(data []byte, expected uint64, _ channel.Trace) *channel.Pending {
	return l.send(l.commits, l.commits, expected, data)
}

func (l *serverLog) Claim(data []byte, expected uint64) *channel.Pending {
	return l.send(l.own, l.own, expected, data)
}

func (l *serverLog) Seal(data []byte, claim uint64) *channel.Pending {
	return l.send(l.commits, l.own, claim, data)
}

func (l *serverLog) End(ctx context.Context) (channel.Record, bool, error) {
	return l.last(ctx, l.commits)
}
func (l *serverLog) Newest(ctx context.Context) (channel.Record, bool, error) {
	return l.last(ctx, l.own)
}

func (l *serverLog) last(ctx context.Context, subject string) (channel.Record, bool, error) {
	msg, err := l.stream.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return channel.Record{}, false, nil
	}
	if err != nil {
		return channel.Record{}, false, err
	}
	return record(msg)
}

func record(msg *jetstream.RawStreamMsg) (channel.Record, bool, error) {
	f, err := frame.Decode(msg.Data)
	return channel.Record{Sequence: msg.Sequence, Tail: msg.Sequence, Frame: f, Data: msg.Data}, err == nil, err
}

func (l *serverLog) Replay(ctx context.Context, from uint64, fn func(channel.Record) error) error {
	for {
		msg, err := l.stream.GetMsg(ctx, from, jetstream.WithGetMsgSubject(l.commits))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		rec, _, err := record(msg)
		if err != nil {
			return err
		}
		if err := fn(rec); err != nil {
			return err
		}
		from = msg.Sequence + 1
	}
}

// owner commits without a pause until it is fenced.
type owner struct {
	log    *serverLog
	number uint64
	size   int
	last   frame.Frame
}

func (o *owner) CatchUp(ctx context.Context, t *register.Taken) error {
	rec, found, err := t.LastCommit(ctx, o.log)
	if found {
		o.last = *rec.Frame
	}
	return err
}

func (o *owner) Fence(t *register.Taken) ([]byte, error) {
	o.last = frame.Frame{Owner: o.number, Epoch: t.Epoch, Commit: o.last.Commit + 1, Kind: frame.KindFence, Claim: frame.Claim{Sequence: t.Claim}}
	return frame.Append(nil, &o.last, frame.Options{})
}

// commit goes on until a commit is refused, and tells of each that is stored.
func (o *owner) commit(sequence uint64, stored func()) error {
	whole := make([]byte, o.size)
	for {
		f := frame.Frame{Owner: o.number, Epoch: o.last.Epoch, Commit: o.last.Commit + 1, State: frame.State{Kind: frame.StateWhole, Whole: whole}}
		data, err := frame.Append(nil, &f, frame.Options{})
		if err != nil {
			return err
		}
		if sequence, err = o.log.Publish(data, sequence, channel.Trace{}).Result(); err != nil {
			return err
		}
		o.last = f
		stored()
	}
}

// A claimant becomes the owner at its first try, while the owner before it commits as fast as it can.
func TestATakeOverWinsAtOnceAgainstAnOwnerThatCommitsWithoutAPause(t *testing.T) {
	t.Parallel()
	for replicas, start := range map[int]func(t *testing.T) *natsserver.Server{
		1: func(t *testing.T) *natsserver.Server { return natsserver.Start(t) },
		3: func(t *testing.T) *natsserver.Server { return natsserver.Cluster(t)[0] },
	} {
		t.Run(fmt.Sprintf("R%d", replicas), func(t *testing.T) {
			t.Parallel()
			if replicas > 1 && testing.Short() {
				t.Skip("starts a cluster")
			}
			log := newServerLog(t, start(t), replicas)
			takeTurns(t, log, 20, 1024)
			checkChain(t, log)
		})
	}
}

// takeTurns lets owners take the instance over from one another.
func takeTurns(t *testing.T, log *serverLog, owners, size int) {
	t.Helper()
	var running sync.WaitGroup
	defer running.Wait()
	var took []time.Duration
	var claims []register.Taken
	for number := range owners {
		o := &owner{log: log, number: uint64(number + 1), size: size}
		began := time.Now()
		taken, err := (&register.Claimant{Log: log, Clock: ports.RealTime{}, Owner: o.number}).TakeOver(t.Context(), o)
		if err != nil || taken.Claims != 1 {
			t.Fatalf("owner %d: %d claims, %v", o.number, taken.Claims, err)
		}
		took = append(took, time.Since(began))
		for _, old := range claims { // what an owner before sends late is refused
			if _, err := log.Seal(encode(t, &frame.Frame{Kind: frame.KindSeal, Epoch: old.Epoch, Claim: frame.Claim{Sequence: old.Claim}}), old.Claim).Result(); !errors.Is(err, channel.ErrConflict) {
				t.Fatalf("a late seal of epoch %d: %v", old.Epoch, err)
			}
		}
		claims = append(claims, taken)
		commits := make(chan struct{}, 3)
		running.Go(func() {
			err := o.commit(taken.Fence, func() {
				select {
				case commits <- struct{}{}:
				default:
				}
			})
			if !errors.Is(err, channel.ErrConflict) && number < owners-1 {
				t.Errorf("owner %d: %v", o.number, err)
			}
		})
		for range cap(commits) { // it is at work when the next one begins
			<-commits
		}
	}
	last := *log // the others still use theirs
	last.limit = time.Second
	end := &owner{log: &last, number: uint64(owners + 1)}
	if _, err := (&register.Claimant{Log: &last, Clock: ports.RealTime{}, Owner: end.number}).TakeOver(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	slices.Sort(took)
	t.Logf("%d take-overs, one claim each: median %v, longest %v", len(took), took[len(took)/2], took[len(took)-1])
}

func encode(t *testing.T, f *frame.Frame) []byte {
	t.Helper()
	data, err := frame.Append(nil, f, frame.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkChain sees to it that behind each seal comes its fence, and that no commit is missing, doubled or of an owner before.
func checkChain(t *testing.T, log *serverLog) {
	t.Helper()
	var last, seal *frame.Frame
	last = &frame.Frame{}
	err := log.Replay(t.Context(), 1, func(rec channel.Record) error {
		f := rec.Frame
		switch {
		case f.Kind == frame.KindSeal:
			if f.Epoch <= last.Epoch {
				t.Errorf("sequence %d: a seal of epoch %d behind epoch %d", rec.Sequence, f.Epoch, last.Epoch)
			}
			seal = f
			return nil
		case f.Commit != last.Commit+1, seal != nil && (f.Kind != frame.KindFence || f.Owner != seal.Owner || f.Epoch != seal.Epoch), seal == nil && f.Owner != last.Owner:
			t.Errorf("sequence %d: %v, commit %d of owner %d behind commit %d of owner %d", rec.Sequence, f.Kind, f.Commit, f.Owner, last.Commit, last.Owner)
		}
		last, seal = f, nil
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Of several claimants at the same time one becomes the owner after the other, or steps back.
func TestClaimantsThatLoseStepBack(t *testing.T) {
	t.Parallel()
	log := newServerLog(t, natsserver.Start(t), 1)
	var claimants sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for number := range uint64(8) {
		claimants.Go(func() {
			o := &owner{log: log, number: number + 1}
			_, err := (&register.Claimant{Log: log, Clock: ports.RealTime{}, Owner: o.number}).TakeOver(t.Context(), o)
			lost := (*register.LostError)(nil)
			if err != nil && !errors.As(err, &lost) {
				t.Errorf("owner %d: %v", o.number, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			}
		})
	}
	claimants.Wait()
	if won == 0 {
		t.Error("nobody became the owner")
	}
	checkChain(t, log)
}

// What is trimmed leaves the newest entry and the last commit, so a take-over finds them.
func TestAnOwnerThatEnteredItselfAgainMayTrim(t *testing.T) {
	t.Parallel()
	log := newServerLog(t, natsserver.Start(t), 1)
	first := &owner{log: log, number: 1}
	c := &register.Claimant{Log: log, Clock: ports.RealTime{}, Owner: 1}
	taken, err := c.TakeOver(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if err := register.Refresh(t.Context(), log, ports.RealTime{}, 1, taken.Fence); err != nil {
		t.Fatal(err)
	}
	newest, found, err := log.Newest(t.Context())
	if err != nil || !found || newest.Sequence <= taken.Fence || newest.Frame.Epoch != taken.Epoch {
		t.Fatalf("the claim is at %d, the fence at %d: %v", newest.Sequence, taken.Fence, err)
	}
	if err := register.Refresh(t.Context(), log, ports.RealTime{}, 1, taken.Fence); err != nil {
		t.Fatal(err)
	}
	if again, _, _ := log.Newest(t.Context()); again.Sequence != newest.Sequence {
		t.Errorf("it entered itself again where nothing is to be trimmed: %d, %d", again.Sequence, newest.Sequence)
	}
	if err := log.stream.Purge(t.Context(), jetstream.WithPurgeSequence(taken.Fence)); err != nil {
		t.Fatal(err)
	}
	next := &owner{log: log, number: 2}
	if later, err := (&register.Claimant{Log: log, Clock: ports.RealTime{}, Owner: 2}).TakeOver(t.Context(), next); err != nil || later.Epoch != taken.Epoch+1 || next.last.Commit != 2 {
		t.Errorf("%+v, commit %d, %v", later, next.last.Commit, err)
	}
	if lost := (*register.LostError)(nil); !errors.As(register.Refresh(t.Context(), log, ports.RealTime{}, 1, 1<<40), &lost) {
		t.Error("an owner that was replaced entered itself again")
	}
}
