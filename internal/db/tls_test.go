package db

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

// A server with a certificate of its own authority, which asks for the client's.
func TestTLS(t *testing.T) {
	t.Parallel()
	files := testkit.NewCertificates(t)
	other := testkit.NewCertificates(t)
	u := testkit.NewMySQLWithTLS(t, files)
	for name, c := range map[string]struct {
		files config.TLS
		query string
		fails string
	}{
		"all files":                {config.TLS{CA: files.CA, Cert: files.Cert, Key: files.Key}, "", ""},
		"all files, and tls":       {config.TLS{CA: files.CA, Cert: files.Cert, Key: files.Key}, "tls=true", ""},
		"no client certificate":    {config.TLS{CA: files.CA}, "", "an account that requires a certificate also needs BALER_DATABASE_TLS_CERT"},
		"a stranger's certificate": {config.TLS{CA: files.CA, Cert: other.Cert, Key: other.Key}, "", "the server's log says that it refuses the certificate in BALER_DATABASE_TLS_CERT"},
		"another authority":        {config.TLS{CA: other.CA, Cert: files.Cert, Key: files.Key}, "", "(name the file of the authority that signed the server's certificate in BALER_DATABASE_TLS_CA)"},
		"the host's":               {config.TLS{}, "tls=true", "certificate signed by unknown authority"},
		"none":                     {config.TLS{}, "", "Access denied"},
	} {
		secure, err := c.files.Load()
		testkit.Must(t, err)
		u.RawQuery = c.query
		d, err := Open(t.Context(), u.String(), Options{TLS: secure})
		if err == nil {
			var cipher []struct{ Value string }
			testkit.Must(t, d.Session(t.Context()).Raw("SHOW STATUS LIKE 'Ssl_cipher'").Scan(&cipher).Error)
			if len(cipher) != 1 || cipher[0].Value == "" {
				t.Errorf("%s: the connection is not encrypted: %v", name, cipher)
			}
			testkit.Must(t, d.Close())
		}
		if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
