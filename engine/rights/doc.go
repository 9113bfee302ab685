// Package rights says what the user of an external NATS server has to be allowed, so that a pipeline can use it.
package rights
