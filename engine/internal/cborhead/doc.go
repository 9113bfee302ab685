// Package cborhead writes what each data item of CBOR begins with.
package cborhead
