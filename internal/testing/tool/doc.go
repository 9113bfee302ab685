// Package tool finds programs of others that a test asks for a second opinion.
package tool
