// Package format has the version numbers of everything that Penstock stores, and
// the error of a build that meets a higher one.
//
// A change that an older build would not understand, or would understand wrongly,
// raises the number. A build reads every number up to its own.
package format
