package wordcount_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"penstock/engine"
	"penstock/examples/wordcount"
)

func ExampleNew() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	text, result := filepath.Join(dir, "text"), filepath.Join(dir, "result")
	if err := os.WriteFile(text, []byte("to be or\nnot to be\n"), 0o600); err != nil {
		panic(err)
	}

	p, err := wordcount.New(wordcount.Config{Files: []string{text}, Output: result})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := p.Run(context.Background(), engine.Config{Dir: filepath.Join(dir, "data"), Logger: slog.New(slog.DiscardHandler)}); err != nil {
		fmt.Println(err)
	}
	counts, _ := os.ReadFile(result)
	fmt.Print(string(counts))
	// Output:
	// 2 be
	// 1 not
	// 1 or
	// 2 to
}
