package plan

import "testing"

// What is stored is called so by every build.
func TestTheNamesOfAnInstance(t *testing.T) {
	id := InstanceID{Stage: "orders", Number: 2}
	for got, want := range map[string]string{
		id.String():                          "orders.2",
		id.Subject("shop"):                   "shop.orders.2",
		id.Consumer(""):                      "orders-2",
		id.Consumer("late"):                  "orders-2+late",
		Message("orders.late", id.Number, 7): "orders.late.2:7",
		Only("orders").String():              "orders.0",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
