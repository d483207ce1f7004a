package tlshint

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// Each fault of a certificate has a hint of its own.
func TestHints(t *testing.T) {
	t.Parallel()
	files, other := testkit.NewCertificates(t), testkit.NewCertificates(t)
	client := func(ca testkit.Certificates, change func(*tls.Config)) *tls.Config {
		c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool(t, ca), ServerName: "127.0.0.1"}
		if change != nil {
			change(c)
		}
		return c
	}
	mine := func(f testkit.Certificates) func(*tls.Config) {
		return func(c *tls.Config) { c.Certificates = []tls.Certificate{pair(t, f)} }
	}
	for name, c := range map[string]struct {
		client *tls.Config
		want   string
	}{
		"all is well":           {client(files, mine(files)), ""},
		"another authority":     {client(other, mine(files)), "name the file of the authority that signed the server's certificate in THE_CA"},
		"another name":          {client(files, func(c *tls.Config) { c.ServerName = "example.org" }), "give in THE_URL a name of the server"},
		"expired":               {client(files, func(c *tls.Config) { c.Time = func() time.Time { return time.Now().AddDate(1, 0, 0) } }), "renew the server's certificate"},
		"no client certificate": {client(files, nil), "name a certificate that its authority has signed and that has not expired in THE_CERT, and its key in THE_KEY"},
		"a stranger's":          {client(files, mine(other)), "in THE_CERT"},
	} {
		hint := Of(talk(t, files, c.client), Settings{Address: "THE_URL", CA: "THE_CA", Cert: "THE_CERT", Key: "THE_KEY"})
		if (hint == "") != (c.want == "") || !strings.Contains(hint, c.want) {
			t.Errorf("%s: %q, want %q", name, hint, c.want)
		}
	}
	for _, err := range []error{nil, errors.New("x"), &net.OpError{Op: "dial", Err: errors.New("connection refused")}} {
		if hint := Of(err, Settings{Cert: "C"}); hint != "" {
			t.Errorf("%v: %q", err, hint)
		}
	}
	if hint := Of(fmt.Errorf("connect: %w", tls.RecordHeaderError{Msg: "first record"}), Settings{Address: "THE_URL"}); !strings.Contains(hint, "does not speak TLS") {
		t.Errorf("a server without TLS: %q", hint)
	}
}

// talk returns the error of a client that connects to a server that wants a certificate, and
// reads one byte.
func talk(t *testing.T, files testkit.Certificates, c *tls.Config) error {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair(t, files)}, ClientCAs: pool(t, files), ClientAuth: tls.RequireAndVerifyClientCert,
	})
	testkit.Must(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte("x")) // fails where the handshake does: the client says why
		_, _ = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}()
	defer func() { testkit.Must(t, ln.Close()); <-ended }()
	conn, err := tls.Dial("tcp", ln.Addr().String(), c)
	if err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	_ = conn.Close()
	return err
}

func pool(t *testing.T, files testkit.Certificates) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	pem, err := os.ReadFile(files.CA)
	testkit.Must(t, err)
	if !p.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate")
	}
	return p
}

func pair(t *testing.T, files testkit.Certificates) tls.Certificate {
	t.Helper()
	c, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	testkit.Must(t, err)
	return c
}
