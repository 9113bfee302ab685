// Package child starts processes that tests watch and kill.
package child
