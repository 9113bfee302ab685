// Package durability has the store's notes about what else is durable: how far the dead letters reach, and whether the
// channels are synced at an interval.
package durability
