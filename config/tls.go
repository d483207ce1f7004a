package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// TLS names the files of an encrypted connection. The zero value trusts the
// authorities of the host, and shows no certificate.
type TLS struct {
	CA   string `koanf:"ca"`   // PEM: the authorities that may have signed the server's certificate
	Cert string `koanf:"cert"` // PEM: the client's certificate
	Key  string `koanf:"key"`  // PEM: its key
}

// Load reads the files. Without any it returns nil.
func (t TLS) Load() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil //nolint:nilnil // there is nothing to set
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca: %s has no certificate in PEM", t.CA)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("tls.cert and tls.key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// End returns when the client's certificate ends; the zero time when there is none.
func (t TLS) End() (time.Time, error) {
	if t.Cert == "" {
		return time.Time{}, nil
	}
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return time.Time{}, fmt.Errorf("tls.cert and tls.key: %w", err)
	}
	return pair.Leaf.NotAfter, nil
}

// check reports settings that cannot work, whatever the files contain.
func (t TLS) check() error {
	if (t.Cert == "") != (t.Key == "") {
		return errors.New("cert and key belong together; set both, or neither")
	}
	return nil
}
