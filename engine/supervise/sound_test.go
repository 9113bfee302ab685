package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

// fragile panics in the methods that it names.
type fragile struct{ in string }

func (f fragile) at(method string) {
	if f.in == method {
		panic("in " + method)
	}
}

func (f fragile) Error() string   { f.at("Error"); return "fragile" }
func (f fragile) Is(error) bool   { f.at("Is"); return false }
func (f fragile) As(any) bool     { f.at("As"); return false }
func (f fragile) Unwrap() []error { f.at("Unwrap"); return []error{nil, io.EOF} }

// pointed is a usual error, whose nil pointer is no error that can be used.
type pointed struct{ text string }

func (p *pointed) Error() string { return p.text }

// circle wraps itself.
type circle struct{}

func (c *circle) Error() string { return "circle" }
func (c *circle) Unwrap() error { return c }

// list cannot be compared.
type list []error

func (l list) Error() string   { return "list" }
func (l list) Unwrap() []error { return l }

func TestAnErrorThatAnswersStaysAsItIs(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		nil, io.EOF, fragile{}, fmt.Errorf("outer: %w", &pointed{"x"}), errors.Join(io.EOF, fragile{}), &pointed{}, &PanicError{Value: 7},
	} {
		if Sound(err) != err || Contain(func() error { return err }) != err {
			t.Errorf("%v is another error: %v", err, Sound(err))
		}
	}
	if err := Sound(list{io.EOF, nil}); !errors.Is(err, io.EOF) {
		t.Errorf("a list that cannot be compared is %v", err)
	}
}

func TestAnErrorThatPanicsIsAPanic(t *testing.T) {
	t.Parallel()
	var none *pointed
	const nilPointer = "error *supervise.pointed: its Error method panicked: runtime error: invalid memory address or nil pointer dereference"
	for _, c := range []struct {
		err  error
		want string
	}{
		{none, nilPointer},
		{fmt.Errorf("outer: %w", none), "error *fmt.wrapError (outer: <nil>): " + nilPointer},
		{fmt.Errorf("%w and %w", io.EOF, none), ": " + nilPointer},
		{errors.Join(io.EOF, none), "error *errors.joinError: its Error method panicked: runtime error: invalid memory"},
		{Fatal(none), "error *supervise.fatal: its Error method panicked: runtime error: invalid memory"},
		{fragile{"Error"}, "error supervise.fragile: its Error method panicked: in Error"},
		{fragile{"Is"}, "error supervise.fragile (fragile): its Is method panicked: in Is"},
		{fragile{"As"}, "error supervise.fragile (fragile): its As method panicked: in As"},
		{fragile{"Unwrap"}, "error supervise.fragile (fragile): its Unwrap method panicked: in Unwrap"},
		{list{list{io.EOF}, fragile{"Is"}}, "error supervise.list (list): error supervise.fragile (fragile): its Is method panicked: in Is"},
		{&circle{}, "error *supervise.circle (circle): it wraps more than 65536 errors, or itself"},
		{fmt.Errorf("%s %w", strings.Repeat("é", 1000), none), "é…): " + nilPointer},
	} {
		for way, fn := range map[string]func() error{
			"returned": func() error { return c.err },
			"panicked": func() error { panic(c.err) },
		} {
			for name, call := range map[string]func(func() error) error{"Call": Call, "Contain": Contain} {
				err := call(fn)
				var p *PanicError
				if !errors.As(err, &p) || ReasonOf(err) != Panic || IsFatal(err) {
					t.Fatalf("%s, %s: %T %v", name, way, err, err)
				}
				if text := err.Error(); !strings.HasPrefix(text, "panic: error ") || strings.Count(text, c.want) != 1 || strings.Count(text, "error supervise.fragile") > 1 || len(text) > 1000 {
					t.Errorf("%s, %s: %q, want %q in it", name, way, text, c.want)
				}
				if _, endless := c.err.(*circle); !endless && len(p.Stack) == 0 {
					t.Errorf("%s, %s: no stack", name, way)
				}
			}
		}
	}
}

func ExampleSound() {
	var broken *pointed // its Error method uses the pointer
	fmt.Println(Sound(io.EOF))
	fmt.Println(Sound(broken))
	// Output:
	// EOF
	// error *supervise.pointed: its Error method panicked: runtime error: invalid memory address or nil pointer dereference
}

// boxed looks as if it could be compared.
type boxed struct{ any }

func (boxed) Error() string { return "boxed" }

// The cause of a context may be any error.
func TestIsSurvivesWhatCannotBeCompared(t *testing.T) {
	t.Parallel()
	for _, target := range []error{boxed{[]int{1}}, list{io.EOF}, nil} {
		if Is(fmt.Errorf("outer: %w", target), target) {
			t.Errorf("%#v is found", target)
		}
	}
	if !Is(fmt.Errorf("outer: %w", boxed{7}), boxed{7}) || Is(io.EOF, boxed{7}) {
		t.Error("what can be compared is not found, or something else is")
	}
}

func TestAChildMayReturnACauseThatCannotBeCompared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cause := boxed{[]int{1}}
		ctx, cancel := context.WithCancelCause(t.Context())
		s := Supervisor{Children: []Child{{Name: "repeats", Serve: func(ctx context.Context) error {
			<-ctx.Done()
			return fmt.Errorf("stopped: %w", context.Cause(ctx))
		}}}}
		go func() { synctest.Wait(); cancel(cause) }()
		if err := s.Serve(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v", err)
		}
	})
}
