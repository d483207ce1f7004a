package testkit

import (
	"net/url"
	"testing"
)

// NewMySQLWithTLS starts a server for the test that has the files, and returns its URL for an
// account which must show a certificate of their authority.
func NewMySQLWithTLS(t testing.TB, files Certificates) *url.URL {
	t.Helper()
	server := NewMySQLServer(t, "--ssl-ca="+files.CA, "--ssl-cert="+files.Cert, "--ssl-key="+files.Key)
	for _, statement := range []string{"CREATE USER secure IDENTIFIED BY 'secure' REQUIRE X509", "GRANT ALL ON baler.* TO secure"} {
		_, err := Database(t, server.URL()).ExecContext(t.Context(), statement)
		Must(t, err)
	}
	u, err := url.Parse(server.URL())
	Must(t, err)
	u.User = url.UserPassword("secure", "secure")
	return u
}
