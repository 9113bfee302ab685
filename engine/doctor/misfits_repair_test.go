package doctor_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"penstock/dlq"
	"penstock/engine/doctor"
	"penstock/engine/frame"
	"penstock/internal/testing/patient"
)

// What another client published like a commit, and is no frame, stops the stage.
// Repair takes it out, and nothing is lost. With a frame key it stops nothing.
func TestRepairTakesOutWhatIsNoFrame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outside bool
		secrets []string
	}{
		"embedded": {}, "outside": {outside: true},
		"embedded, with a key": {secrets: []string{"0123456789abcdef"}}, "outside, with a key": {true, []string{"0123456789abcdef"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := patient.NewHalted(t, c.outside, c.secrets...)
			garbage := func([]byte) []byte { return []byte("19 bytes of garbage") }
			h.Publish("numbers", garbage)
			h.Publish("numbers", func([]byte) []byte { return nil })
			h.Publish("total", garbage)
			if c.secrets != nil { // what is not signed was no commit
				h.GoesOn()
				if e, err := doctor.Examine(t.Context(), h.Config.ToInspect()); err != nil || !e.Sound {
					t.Errorf("%+v, %v", e, err)
				}
				return
			}
			ctx, stop := patient.Bounded(t)
			defer stop()
			if err := h.Wire(patient.HaltedValues, func(uint64) {}).Run(ctx, h.Config); err == nil || !strings.Contains(err.Error(), "doctor.Repair") {
				t.Fatalf("the run: %v", err)
			}
			e, err := doctor.Examine(t.Context(), h.Config.ToInspect())
			if err != nil || e.Sound || !e.Mendable || len(e.Steps) != 2 {
				t.Fatalf("%+v, %v", e, err)
			}
			if _, err := doctor.Repair(t.Context(), h.Config.ToInspect()); err != nil {
				t.Fatal(err)
			}
			if e, err = doctor.Examine(t.Context(), h.Config.ToInspect()); err != nil || !e.Sound {
				t.Fatalf("%+v, %v", e, err)
			}
			h.GoesOn()
		})
	}
}

// flipped is a frame with one bit changed.
func flipped(frame []byte) []byte {
	damaged := append([]byte(nil), frame...)
	damaged[len(damaged)/2] ^= 1
	return damaged
}

// What begins like a frame may be what is left of one. The embedded server has no other client: it is not taken out.
func TestRepairDoesNotTakeOutADamagedCommit(t *testing.T) {
	t.Parallel()
	h := patient.NewHalted(t, false)
	h.Publish("numbers", flipped)
	mustBeRefused(t, h)
}

func mustBeRefused(t *testing.T, h *patient.Halted) {
	t.Helper()
	done, err := doctor.Repair(t.Context(), h.Config.ToInspect())
	if !errors.Is(err, doctor.ErrNotMendable) || done.Backup != "" {
		t.Errorf("%+v, %v", done, err)
	}
}

// Behind the last frame of a channel on another server, what may have been a commit is taken out where nothing has used
// it. The backup keeps it.
func TestRepairTakesOutALastMessageThatNothingUsed(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]func([]byte) []byte{
		"the last frame with one bit changed": flipped,
		"the head of a frame":                 func([]byte) []byte { return append([]byte("PSTK\x01\x00"), make([]byte, 90)...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := patient.NewHalted(t, true)
			var published []byte
			for _, stage := range []string{"numbers", "total"} {
				h.Publish(stage, func(last []byte) []byte { published = message(last); return published })
				h.Publish(stage, func([]byte) []byte { return published }) // behind that
			}
			ctx, stop := patient.Bounded(t)
			defer stop()
			if err := h.Wire(patient.HaltedValues, func(uint64) {}).Run(ctx, h.Config); err == nil || !strings.Contains(err.Error(), "doctor.Repair") {
				t.Fatalf("the run: %v", err)
			}
			e, err := doctor.Examine(t.Context(), h.Config.ToInspect())
			if err != nil || e.Sound || !e.Mendable || !strings.Contains(e.Findings[0].Text, "damaged before it was stored") {
				t.Fatalf("%+v, %v", e, err)
			}
			done, err := doctor.Repair(t.Context(), h.Config.ToInspect())
			if err != nil || !strings.Contains(strings.Join(done.Steps, " "), "nothing has used it") {
				t.Fatalf("%+v, %v", done, err)
			}
			kept, err := filepath.Glob(filepath.Join(done.Backup, "removed", "halted+total-*"))
			if err != nil || len(kept) != 2 {
				t.Fatalf("kept are %v, %v", kept, err)
			}
			if data, err := os.ReadFile(kept[1]); err != nil || !bytes.Equal(data, published) {
				t.Errorf("%s has %q, %v", kept[1], data, err)
			}
			h.GoesOn()
		})
	}
}

// A commit that something has used is not made once more.
func TestRepairLeavesALastMessageThatMayBeUsed(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(*frame.Frame){
		"":             func(*frame.Frame) {}, // nothing did
		"a reader":     func(f *frame.Frame) { f.Sections[0].Base-- },
		"a checkpoint": func(f *frame.Frame) { f.Commit-- },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := patient.NewHalted(t, true)
			h.Damage("numbers", func(last []byte) []byte {
				f, err := frame.Decode(last)
				if err != nil {
					t.Fatal(err)
				}
				s := &f.Sections[0]
				s.Reset(s.Next())
				before(f)
				data, err := frame.Append(nil, f, frame.Options{})
				if err != nil {
					t.Fatal(err)
				}
				return data
			})
			h.Publish("numbers", flipped)
			if name != "" {
				mustBeRefused(t, h)
			} else if _, err := doctor.Repair(t.Context(), h.Config.ToInspect()); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a replay", func(t *testing.T) {
		t.Parallel()
		h := patient.NewHalted(t, true)
		h.Publish("total", flipped)
		h.OnServer(func(js jetstream.JetStream) {
			letters, err := js.Stream(t.Context(), dlq.StreamName("halted"))
			if err != nil {
				t.Fatal(err)
			}
			s, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
				Name: dlq.ReplayStreamName("halted"), Subjects: []string{"halted.*.*.replay.>"}, FirstSeq: 7, Metadata: letters.CachedInfo().Config.Metadata,
			})
			if err == nil {
				_, err = js.Publish(t.Context(), "halted.total.0.replay.a", nil)
			}
			if err == nil {
				err = s.DeleteMsg(t.Context(), 7)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		mustBeRefused(t, h)
		h.OnServer(func(js jetstream.JetStream) {
			if err := js.DeleteStream(t.Context(), dlq.ReplayStreamName("halted")); err != nil {
				t.Fatal(err)
			}
		})
		if _, err := doctor.Repair(t.Context(), h.Config.ToInspect()); err != nil {
			t.Fatal(err)
		}
		h.GoesOn()
	})
}
