package broker

import "fmt"

// LoginError says that no server takes the login, and that none ever did. It wraps [ErrConfig], and what the server
// said.
type LoginError struct {
	Server string // its address, without credentials
	User   string // "" when it is not known here
	Cause  error
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("%s rejected %s: %v: check name, password, token, key or credentials file", e.Server, loginOf(e.User), e.Cause)
}

// Unwrap returns ErrConfig and the cause.
func (e *LoginError) Unwrap() []error { return []error{ErrConfig, e.Cause} }

func loginOf(user string) string {
	if user == "" {
		return "the login"
	}
	return "the login of user " + user
}
