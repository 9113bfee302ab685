package broker

import (
	"net/url"
	"slices"
	"strings"
)

// CheckURLs is an [ErrConfig] that names what is wrong with a list of URLs.
func CheckURLs(list string) error { return checkURLs(list) }

const defaultPort = "4222"

// Addresses are the servers of a list of URLs as they may be written down: scheme, host and port, without a login,
// sorted.
func Addresses(list string) []string {
	var addresses []string
	for _, text := range splitURLs(list) {
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" {
			continue // which Open refuses
		}
		if u.Port() == "" && (u.Scheme == "nats" || u.Scheme == "tls") {
			u.Host += ":" + defaultPort
		}
		addresses = append(addresses, u.Scheme+"://"+u.Host)
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

// LoginIn is that within the first URL of a list that has one, nil if none does.
func LoginIn(list string) *url.Userinfo {
	for _, text := range splitURLs(list) {
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		if u, err := url.Parse(text); err == nil && u.User != nil {
			return u.User
		}
	}
	return nil
}
