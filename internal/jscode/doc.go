// Package jscode has the error codes of the JetStream API that its client library has no names for. They are listed in
// server/errors.json of nats-server.
package jscode
