package engine_test

import (
	"errors"
	"fmt"

	"penstock/engine"
)

// What a codec would change it refuses, by the name of the field.
func ExampleEncodeError() {
	type Line struct{ Article string }
	type Order struct{ Lines []Line }
	order := Order{Lines: []Line{{"tea"}, {"caf\xe9"}}} // Latin-1

	_, err := engine.JSON[Order]().Append(nil, order)
	if at := (*engine.EncodeError)(nil); errors.As(err, &at) {
		fmt.Println(at.Field)
	}
	fmt.Println(err)

	data, err := engine.CBOR[Order]().Append(nil, order)
	if err != nil {
		fmt.Println(err)
	}
	same, err := engine.CBOR[Order]().Decode(data)
	fmt.Printf("%q %v\n", same.Lines[1].Article, err)
	// Output:
	// .Lines[1].Article
	// field .Lines[1].Article (string): it is not UTF-8, and JSON would change it
	// "caf\xe9" <nil>
}
