package main

import (
	"penstock/examples/wordcount"
)

func runWordcount(args []string) error {
	set, s := flags("wordcount")
	var c wordcount.Config
	set.StringVar(&c.Output, "output", "", "`file` of the counts")
	extension := set.String("ext", "", "of the files to take from directories")
	if err := set.Parse(args); err != nil {
		return err
	}
	c.Files = set.Args()
	if *extension != "" {
		c.Extensions = []string{*extension}
	}
	p, err := wordcount.New(c)
	if err != nil {
		return err
	}
	return s.run(p)
}
