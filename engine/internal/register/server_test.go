package register_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/engine/broker"
	"penstock/engine/channel"
	"penstock/engine/frame"
	"penstock/engine/internal/ports"
	"penstock/engine/internal/register"
	"penstock/internal/testing/natsserver"

	"github.com/nats-io/nats.go/jetstream"
)

// open makes the channel of an instance on a server.
func open(t testing.TB, s *natsserver.Server, replicas int) *channel.Channel {
	t.Helper()
	b, err := broker.Open(t.Context(), broker.Config{URL: s.ClientURL(), Replicas: replicas})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	c, err := channel.Open(t.Context(), b, channel.Spec{Pipeline: "p", Stage: "s"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// owner commits without a pause until it is fenced.
type owner struct {
	log    *channel.Channel
	number uint64
	size   int
	last   frame.Frame
}

func (o *owner) CatchUp(ctx context.Context, _ *register.Taken) error {
	rec, found, err := o.log.Last(ctx)
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
			server := start(t)
			takeTurns(t, open(t, server, replicas), 20, 1024)
			checkChain(t, server)
		})
	}
}

// takeTurns lets owners take the instance over from one another.
func takeTurns(t *testing.T, log *channel.Channel, owners, size int) {
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
	end := &owner{log: log, number: uint64(owners + 1)}
	if _, err := (&register.Claimant{Log: log, Clock: ports.RealTime{}, Owner: end.number}).TakeOver(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	slices.Sort(took)
	t.Logf("%d take-overs, one claim each: median %v, longest %v", len(took), took[len(took)/2], took[len(took)-1])
}

// purged is an owner whose stream is purged between its seal and its first commit.
type purged struct {
	owner
	purge func()
}

func (o *purged) Fence(t *register.Taken) ([]byte, error) {
	o.purge()
	return o.owner.Fence(t)
}

func TestAPurgeDuringATakeOverIsRefusedWithARemedy(t *testing.T) {
	t.Parallel()
	server := natsserver.Start(t)
	log := open(t, server, 1)
	o := &purged{owner: owner{log: log, number: 1}, purge: func() {
		b, err := broker.Open(t.Context(), broker.Config{URL: server.ClientURL()})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		for info := range b.JetStream().ListStreams(t.Context()).Info() {
			stream, err := b.JetStream().Stream(t.Context(), info.Config.Name)
			if err == nil {
				err = stream.Purge(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}}
	_, err := (&register.Claimant{Log: log, Clock: ports.RealTime{}, Owner: o.number}).TakeOver(t.Context(), o)
	if !errors.Is(err, channel.ErrAhead) || !strings.Contains(err.Error(), "the next start checks") {
		t.Error(err)
	}
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
func checkChain(t *testing.T, server *natsserver.Server) {
	t.Helper()
	var last, seal *frame.Frame
	last = &frame.Frame{}
	eachFrame(t, server, func(sequence uint64, f *frame.Frame) {
		switch {
		case f.Kind == frame.KindSeal:
			if f.Epoch <= last.Epoch {
				t.Errorf("sequence %d: a seal of epoch %d behind epoch %d", sequence, f.Epoch, last.Epoch)
			}
			seal = f
			return
		case f.Commit != last.Commit+1, seal != nil && (f.Kind != frame.KindFence || f.Owner != seal.Owner || f.Epoch != seal.Epoch), seal == nil && f.Owner != last.Owner:
			t.Errorf("sequence %d: %v, commit %d of owner %d behind commit %d of owner %d", sequence, f.Kind, f.Commit, f.Owner, last.Commit, last.Owner)
		}
		last, seal = f, nil
	})
}

// eachFrame calls fn with all commits and seals.
func eachFrame(t *testing.T, server *natsserver.Server, fn func(sequence uint64, f *frame.Frame)) {
	t.Helper()
	stream, err := server.JetStream().Stream(t.Context(), channel.StreamName("p", "s"))
	if err != nil {
		t.Fatal(err)
	}
	for next := uint64(1); ; next++ {
		msg, err := stream.GetMsg(t.Context(), next, jetstream.WithGetMsgSubject("p.s.0"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		f, err := frame.Decode(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		next = msg.Sequence
		fn(next, f)
	}
}

// Of several claimants at the same time one becomes the owner after the other, or steps back.
func TestClaimantsThatLoseStepBack(t *testing.T) {
	t.Parallel()
	server := natsserver.Start(t)
	log := open(t, server, 1)
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
	checkChain(t, server)
}

// What is trimmed leaves the newest entry and the last commit, so a take-over finds them.
func TestAnOwnerThatEnteredItselfAgainMayTrim(t *testing.T) {
	t.Parallel()
	log := open(t, natsserver.Start(t), 1)
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
	if err := log.Trim(t.Context(), taken.Fence); err != nil {
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
