package doctor_test

import (
	"errors"
	"strings"
	"testing"

	"penstock/engine/doctor"
	"penstock/internal/testing/patient"
)

// What another client published like a commit, and is no frame, stops the stage.
// Repair takes it out, and nothing is lost.
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

// What begins like a frame may be what is left of one: it is not taken out.
func TestRepairDoesNotTakeOutADamagedCommit(t *testing.T) {
	t.Parallel()
	for _, outside := range []bool{false, true} {
		h := patient.NewHalted(t, outside)
		h.Publish("numbers", func(last []byte) []byte {
			damaged := append([]byte(nil), last...)
			damaged[len(damaged)/2] ^= 1
			return damaged
		})
		done, err := doctor.Repair(t.Context(), h.Config.ToInspect())
		if !errors.Is(err, doctor.ErrNotMendable) {
			t.Errorf("%+v, %v", done, err)
		}
	}
}
