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

// Certificate is a server's certificate in two PEM files. When their content changes, new
// connections get the new one.
type Certificate struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time

	mu      sync.Mutex
	pair    *tls.Certificate
	read    pemFiles // of pair
	refused pemFiles // of files that do not fit together
	checked time.Time
}

// pemFiles are the contents of both files. Their times say less: a program that puts a renewed
// certificate in place may keep them, and half of a file may be as old as all of it.
type pemFiles struct{ cert, key string }

// LoadCertificate reads a certificate, with those of its authorities after it, and its key.
func LoadCertificate(cert, key string, log *slog.Logger, now func() time.Time) (*Certificate, error) {
	c := &Certificate{cert: cert, key: key, log: log, now: now, checked: now()}
	files, err := c.files()
	if err != nil {
		return nil, err
	}
	return c, c.use(files)
}

func (c *Certificate) files() (f pemFiles, err error) {
	cert, err := os.ReadFile(c.cert)
	if err != nil {
		return f, fmt.Errorf("http.tls.cert: %w", err)
	}
	key, err := os.ReadFile(c.key)
	if err != nil {
		return f, fmt.Errorf("http.tls.key: %w", err)
	}
	return pemFiles{string(cert), string(key)}, nil
}

func (c *Certificate) use(f pemFiles) error {
	pair, err := tls.X509KeyPair([]byte(f.cert), []byte(f.key))
	if err != nil {
		return fmt.Errorf("http.tls.cert and http.tls.key: %w", err)
	}
	c.pair, c.read = &pair, f
	return nil
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
	files, err := c.files()
	if err == nil && (files == c.read || files == c.refused) {
		return
	}
	if err == nil {
		err = c.use(files)
	}
	if err != nil {
		c.refused = files
		c.log.Warn("http: the new certificate cannot be used; the last one stays", "error", err)
		return
	}
	c.log.Info("http: the certificate was read again", "file", c.cert)
}

func (c *Certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}
