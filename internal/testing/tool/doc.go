// Package tool finds programs of others that a test uses for a second opinion.
package tool
