package loopback

import "testing"

// ForTest reserves a port until the test has ended.
func ForTest(t testing.TB) (port int) {
	t.Helper()
	port, release, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return port
}
