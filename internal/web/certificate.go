package web

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/expiry"
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

// End returns when the certificate ends that new connections get.
func (c *Certificate) End() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current()
	return c.pair.Leaf.NotAfter
}

// WarnOfEnd logs a certificate that clients refuse, or soon will. Serving goes on: a client may
// accept it, and a new one is used as soon as it is there.
func (c *Certificate) WarnOfEnd() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.warnOfEnd()
}

func (c *Certificate) warnOfEnd() {
	validity, found := expiry.Check(c.pair.Leaf, c.now())
	switch validity {
	case expiry.Valid:
	case expiry.Ending:
		c.log.Warn("http: the certificate must be renewed soon: "+found+
			"; a new one is read from the same files without a restart", "file", c.cert)
	case expiry.Expired:
		c.log.Warn("http: browsers and programs refuse the certificate: "+found+
			"; renew it: a new one is read from the same files without a restart", "file", c.cert)
	case expiry.NotYetValid:
		c.log.Warn("http: browsers and programs refuse the certificate: "+found+
			"; correct this host's clock, or the certificate", "file", c.cert)
	}
}

// get returns the certificate for a new connection. Files that cannot be used leave the
// last one that could be.
func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current()
	return c.pair, nil
}

// current reads the files again when they were not looked at for some time.
func (c *Certificate) current() {
	if now := c.now(); now.Sub(c.checked) >= certificateCheck {
		c.checked = now
		c.refresh()
	}
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
	c.warnOfEnd()
}

func (c *Certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}
