// Package durability has what the store notes of how durable the rest is: how far the dead letters reach, and whether the
// channels are synced at an interval.
package durability
