// Package natsserver starts NATS servers for tests: inside the process, on the loopback interface, with JetStream.
package natsserver
