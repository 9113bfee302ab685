// Package logsample writes some of the log lines that may come once for every message, and counts the others.
package logsample
