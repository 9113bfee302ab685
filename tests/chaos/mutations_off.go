//go:build linux && !penstock_mutation

package main

const removable = false // the rules of the protocol
