package web

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateCheck is how often the files of a certificate are looked at, at most.
const certificateCheck = 10 * time.Second

// Certificate is a server's certificate in two PEM files. When they are replaced, new
// connections get the new one.
type Certificate struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time

	mu      sync.Mutex
	pair    *tls.Certificate
	read    [2]time.Time // modification times of the files of pair
	refused [2]time.Time // of files that do not fit together
	checked time.Time
}

// LoadCertificate reads a certificate, with those of its authorities after it, and its key.
func LoadCertificate(cert, key string, log *slog.Logger, now func() time.Time) (*Certificate, error) {
	c := &Certificate{cert: cert, key: key, log: log, now: now, checked: now()}
	at, err := c.modified()
	if err != nil {
		return nil, err
	}
	return c, c.load(at)
}

func (c *Certificate) load(at [2]time.Time) error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("http.tls.cert and http.tls.key: %w", err)
	}
	c.pair, c.read = &pair, at
	return nil
}

func (c *Certificate) modified() (at [2]time.Time, err error) {
	for i, path := range []string{c.cert, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return at, fmt.Errorf("http.tls: %w", err)
		}
		at[i] = info.ModTime()
	}
	return at, nil
}

// get returns the certificate for a new connection. Files that cannot be used leave the
// last one that could be.
func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.checked) >= certificateCheck {
		c.checked = now
		c.refresh()
	}
	return c.pair, nil
}

func (c *Certificate) refresh() {
	at, err := c.modified()
	if err == nil && (at == c.read || at == c.refused) {
		return
	}
	if err == nil {
		err = c.load(at)
	}
	if err != nil {
		c.refused = at
		c.log.Warn("http: the new certificate cannot be used; the last one stays", "error", err)
		return
	}
	c.log.Info("http: the certificate was read again", "file", c.cert)
}

func (c *Certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}
