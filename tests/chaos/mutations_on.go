//go:build linux && penstock_mutation

package main

const removable = true // the rules of the protocol
