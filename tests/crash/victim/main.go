package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "victim: name a workload: ledger, fizzbuzz, wordcount, poison, ask or server")
		os.Exit(2)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	if err := command(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "victim:", err)
		os.Exit(1)
	}
}

func command(name string, args []string) error {
	switch name {
	case "ledger":
		return runLedger(args)
	case "fizzbuzz":
		return runFizzbuzz(args)
	case "wordcount":
		return runWordcount(args)
	case "poison":
		return runPoison(args)
	case "ask":
		return runAsk(args)
	case "server":
		return runServer(args)
	}
	return fmt.Errorf("unknown workload %q", name)
}
