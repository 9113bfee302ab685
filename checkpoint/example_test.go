package checkpoint_test

import (
	"fmt"
	"log"
	"os"

	"penstock/checkpoint"
)

func Example() {
	dir, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := checkpoint.Open(checkpoint.Config{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	worker := store.Instance("worker.0")
	err = store.Write([]checkpoint.Update{{
		Instance:   worker,
		Checkpoint: checkpoint.Checkpoint{Commit: 7, Sequence: 42, Record: []byte("positions")},
		Keys:       map[string][]byte{"alice": []byte("12"), "bob": []byte("5")},
	}})
	if err != nil {
		log.Fatal(err)
	}

	last, found, err := worker.Load()
	fmt.Println(last.Commit, last.Sequence, string(last.Record), found, err)
	err = worker.Keys("", func(key string, value []byte) error {
		fmt.Println(key, string(value))
		return nil
	})
	fmt.Println(err)
	// Output:
	// 7 42 positions true <nil>
	// alice 12
	// bob 5
	// <nil>
}

func ExampleInstance_PutNote() {
	dir, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := checkpoint.Open(checkpoint.Config{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	worker := store.Instance("worker.0")
	fmt.Println(worker.PutNote("attempts of message 12", []byte{2}))
	tries, found, err := worker.Note("attempts of message 12")
	fmt.Println(tries, found, err)
	// Output:
	// <nil>
	// [2] true <nil>
}
