// Package natsserver is a NATS server for a process of its own, so that it can be killed.
package natsserver
