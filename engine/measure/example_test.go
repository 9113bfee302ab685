package measure_test

import (
	"fmt"

	"penstock/engine/measure"
)

func ExampleSnapshot_Since() {
	var calls measure.Histogram
	calls.Observe(0.5, 100)
	before := calls.Snapshot()

	calls.Observe(0.002, 98)
	calls.Observe(0.25, 2)
	lately := calls.Snapshot().Since(before)
	fmt.Printf("%d calls, half of them in %.1f ms, 99 of 100 in %.0f ms\n", lately.Count, 1000*lately.Quantile(0.5), 1000*lately.Quantile(0.99))
	// Output: 100 calls, half of them in 2.0 ms, 99 of 100 in 239 ms
}
