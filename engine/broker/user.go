package broker

import (
	"net/url"
	"strings"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"penstock/internal/userfile"
)

// user is the name that the server knows this client by, "" when that is not known here.
func (c *Config) user() string {
	if c.User != "" {
		return c.User
	}
	if c.Credentials != "" {
		return userOfCredentials(c.Credentials)
	}
	for _, text := range splitURLs(c.URL) {
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		u, err := url.Parse(text)
		if err != nil || u.User == nil {
			continue
		}
		if _, isUser := u.User.Password(); isUser { // a name alone is a token
			return u.User.Username()
		}
	}
	return ""
}

func userOfCredentials(file string) string {
	text, err := userfile.ReadFile(file)
	if err != nil {
		return ""
	}
	token, err := nkeys.ParseDecoratedJWT(text)
	if err != nil {
		return ""
	}
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil {
		return ""
	}
	return claims.Name
}
