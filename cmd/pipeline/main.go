package main

import (
	"penstock/cmd/pipeline/cli"
	"penstock/cmd/pipeline/internal/shipped"
)

func main() {
	cli.Main(func(app *cli.App) {
		app.Add("fizzbuzz", "A demonstration: numbers become words, one per beat, with faults on purpose.", &shipped.Fizzbuzz{})
		app.Add("wordcount", "Count the words of files, exactly once under every fault.", &shipped.Wordcount{})
		app.Add("unstablecounter", "A counter that overflows every 560 ms and resumes from its last snapshot.", &shipped.Unstablecounter{})
	})
}
