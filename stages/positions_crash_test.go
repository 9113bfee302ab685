package stages_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"penstock/dlq"
	"penstock/engine"
	"penstock/engine/faultpoint"
	"penstock/engine/inspect"
	"penstock/internal/testing/child"
	"penstock/stages"
)

const (
	// Of a child that runs the shop.
	shopDir   = "STAGES_TEST_SHOP"
	shopSmall = "STAGES_TEST_SHOP_BATCH" // the size of its batches
	shopMost  = "STAGES_TEST_SHOP_ORDERS"
	shopBad   = "STAGES_TEST_SHOP_REJECTS"
)

// failing is the order of so many that fails at first.
func failing(orders int) int { return orders - 679 }

// An order that was rejected, and one that failed, are in the database once they are replayed, and each order is there
// once, although the process is killed between the sink's transaction and the pipeline's commit: at first deliveries
// and at replays, one by one and in batches.
func TestPositionsInADatabase(t *testing.T) {
	t.Parallel()
	for batch, orders := range map[int]int{1: 1000, 100: 2000} {
		t.Run(fmt.Sprintf("batches of %d", batch), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			runShop := func(rejects bool, point string) { runShop(t, dir, batch, orders, rejects, point) }
			runShop(true, faultpoint.BeforePublish+"@shop:1")
			runShop(true, faultpoint.BeforePublish+"@shop:3")
			runShop(true, faultpoint.MidDivert+"@shop")
			runShop(true, "")
			want := map[int]int{} // how often each order was written
			for n := range orders {
				want[n] = 1
			}
			delete(want, 5)
			delete(want, failing(orders))
			if got := written(t, dir); !maps.Equal(got, want) {
				t.Fatalf("%d orders before the replay: %v", len(got), differences(got, want))
			}
			replayLetters(t, dir, 2)
			runShop(false, faultpoint.BeforePublish+"@shop:1")
			runShop(false, faultpoint.MidReplay+"@shop:1")
			runShop(false, "")
			want[5], want[failing(orders)] = 1, 1
			if got := written(t, dir); !maps.Equal(got, want) {
				t.Errorf("%d orders after the replay: %v", len(got), differences(got, want))
			}
			replayLetters(t, dir, 0)
		})
	}
}

func differences(got, want map[int]int) map[int]int {
	left := maps.Clone(got)
	maps.DeleteFunc(left, func(order, times int) bool { return want[order] == times })
	return left
}

// runShop runs the pipeline in a process of its own, which dies at a point, or ends if there is none.
func runShop(t *testing.T, dir string, batch, orders int, rejects bool, point string) {
	t.Helper()
	cmd, err := child.Self()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), shopDir+"="+dir, shopSmall+"="+strconv.Itoa(batch), shopMost+"="+strconv.Itoa(orders), faultpoint.Variable+"="+point)
	if rejects {
		cmd.Env = append(cmd.Env, shopBad+"=yes")
	}
	c := child.StartFor(t, cmd, nil)
	if !c.Ends(5 * time.Minute) {
		c.Signal(syscall.SIGQUIT) // it says where
		code, used := c.Code(t), c.Cmd.ProcessState
		t.Fatalf("the shop that is to die at %q hangs (ended with %d; %v in its code, %v in the kernel)\n%s", point, code, used.UserTime(), used.SystemTime(), c.Story())
	}
	if c.Cmd.ProcessState.Success() != (point == "") {
		t.Fatalf("the shop that is to die at %q: %v\n%s", point, c.Err(), c.Story())
	}
	if point != "" && c.Cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the shop was not killed at %q: %v\n%s", point, c.Err(), c.Story())
	}
}

func openShop(dir string) (*badger.DB, error) {
	return badger.Open(badger.DefaultOptions(filepath.Join(dir, "shop")).WithLogger(nil).WithMemTableSize(8 << 20))
}

// shopMain is the child.
func shopMain() {
	dir := os.Getenv(shopDir)
	batch, err := strconv.Atoi(os.Getenv(shopSmall))
	orders, wrong := strconv.Atoi(os.Getenv(shopMost))
	db, opened := openShop(dir)
	err = errors.Join(err, wrong, opened)
	if err == nil {
		p := shop(db, batch, orders, os.Getenv(shopBad) != "")
		err = errors.Join(p.Run(context.Background(), engine.Config{Dir: filepath.Join(dir, "data"), Logger: quiet}), db.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func shop(db *badger.DB, batch, orders int, rejects bool) *engine.Pipeline {
	p := engine.New("shop")
	numbers := engine.Source(p, "orders", func(_ context.Context, next *int, emit engine.Emit[int]) error {
		for range 100 {
			emit(*next)
			*next++
		}
		if *next == orders {
			return io.EOF
		}
		return nil
	})
	engine.SinkBatch(p.With(engine.BatchSize(batch), fast), "shop", numbers, func(_ context.Context, _ *struct{}, messages []engine.Message[int]) error {
		return db.Update(func(tx *badger.Txn) error {
			var positions stages.Positions
			if err := readPositions(tx, &positions); err != nil {
				return err
			}
			for _, m := range messages {
				if rejects && m.Value == 5 {
					return engine.Reject(errors.New("no address"))
				}
				if rejects && m.Value == failing(orders) {
					return errors.New("no customer")
				}
				if positions.Has(m) {
					continue
				}
				if err := write(tx, m.Value); err != nil {
					return err
				}
				positions.Take(m)
			}
			return tx.Set([]byte("positions"), positions.Encode())
		})
	})
	return p
}

func readPositions(tx *badger.Txn, positions *stages.Positions) error {
	item, err := tx.Get([]byte("positions"))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return item.Value(positions.Decode)
}

// write counts how often an order is written.
func write(tx *badger.Txn, order int) error {
	key := binary.BigEndian.AppendUint32([]byte("order-"), uint32(order))
	times := byte(1)
	switch item, err := tx.Get(key); {
	case err == nil:
		before, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		times += before[0]
	case !errors.Is(err, badger.ErrKeyNotFound):
		return err
	}
	return tx.Set(key, []byte{times})
}

// written is how often each order is in the database.
func written(t *testing.T, dir string) map[int]int {
	t.Helper()
	db, err := openShop(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	got := map[int]int{}
	err = db.View(func(tx *badger.Txn) error {
		rows := tx.NewIterator(badger.IteratorOptions{Prefix: []byte("order-"), PrefetchValues: true, PrefetchSize: 100})
		defer rows.Close()
		for rows.Rewind(); rows.Valid(); rows.Next() {
			key := rows.Item().Key()
			times, err := rows.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			got[int(binary.BigEndian.Uint32(key[len("order-"):]))] = int(times[0])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// replayLetters asks for all dead letters, which are as many.
func replayLetters(t *testing.T, dir string, want int) {
	t.Helper()
	inspector, err := inspect.Open(t.Context(), engine.Config{Dir: filepath.Join(dir, "data"), Logger: quiet}.ToInspect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inspector.Close() }()
	letters, _, err := inspector.DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = letters.SelectInOrder(t.Context(), dlq.Filter{}, func(l dlq.Letter) error {
		n++
		return letters.Replay(t.Context(), l, dlq.ReplayOptions{})
	})
	if err != nil || n != want {
		t.Fatalf("%d dead letters, want %d: %v", n, want, err)
	}
}
