package broker

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

func splitURLs(list string) []string {
	var urls []string
	for _, u := range strings.Split(list, ",") {
		if u = strings.TrimSpace(u); u != "" {
			urls = append(urls, u)
		}
	}
	return urls
}

// checkURLs names a bad address by its redacted form: url.Parse would repeat the whole of it, password included.
func checkURLs(list string) error {
	urls := splitURLs(list)
	if len(urls) == 0 {
		return configError("the URL is empty")
	}
	for _, text := range urls {
		shown := redact(text)
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		u, err := url.Parse(text)
		if err != nil {
			if inner := new(url.Error); errors.As(err, &inner) {
				err = inner.Err
			}
			return configError("the URL %s is malformed: %s", shown, reasonOnly(err))
		}
		switch u.Scheme {
		case "nats", "tls", "ws", "wss":
		default:
			return configError("the URL %s begins with %s://: use nats://, tls://, ws:// or wss://", shown, u.Scheme)
		}
		if u.Hostname() == "" {
			return configError("the URL %s names no host", shown)
		}
		if port := u.Port(); port != "" {
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
				return configError("the URL %s has the port %s: ports are 1 to 65535", shown, port)
			}
		}
	}
	return nil
}

// reasonOnly cuts off what net/url quotes of its input: it may be a piece of a password.
func reasonOnly(err error) string {
	reason, _, _ := strings.Cut(err.Error(), `"`)
	return strings.TrimSpace(reason)
}

// Up to the last @ before the next comma or space: a password with a / or @ in it is malformed, and secret all the
// same.
var userInfo = regexp.MustCompile(`([a-zA-Z]+://)?[^\s,"]+@`)

// redact hides user, password and token of every URL in text.
func redact(text string) string {
	return userInfo.ReplaceAllString(text, "${1}…@")
}
