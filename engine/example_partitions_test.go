package engine_test

import (
	"context"
	"fmt"

	"penstock/engine"
	"penstock/engine/enginetest"
)

// Two instances count the words, each on a core of its own. All of one word come to the same instance.
func ExamplePartitions() {
	p := engine.New("count")
	words := enginetest.Values(p, "words", "tea", "milk", "tea", "cup", "tea")
	counts := engine.Stage(p.With(engine.Partitions(2)), "counts", engine.On(engine.KeyBy(words, func(w string) string { return w }),
		func(ctx context.Context, n *int, m engine.Message[string], emit engine.Emit[string]) error {
			if *n++; *n == 3 {
				emit(fmt.Sprintf("%s: %d, in %d partitions", m.Key, *n, engine.InfoOf(ctx).Partitions))
			}
			return nil
		}))
	printLines(p, counts)
	complete(p)
	// Output: tea: 3, in 2 partitions
}

// A flag of the program decides.
func ExamplePipeline_SetPartitions() {
	p := engine.New("shop")
	orders := enginetest.Values(p, "orders", 3, 1, 2)
	engine.Sink(p, "store", engine.KeyBy(orders, func(n int) string { return fmt.Sprint(n % 2) }),
		func(context.Context, *int, engine.Message[int]) error { return nil })
	p.SetPartitions("store", 2)
	p.SetPartitions("orders", 2)
	fmt.Println(p.Check())
	// Output: wiring mistake: source "orders" has 2 partitions: a source runs as one instance; declare several sources instead
}
