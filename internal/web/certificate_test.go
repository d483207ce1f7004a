package web

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// A certificate that is renewed is used from then on, and one that cannot be used is not.
func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	now := time.Now()
	files, renewed := testkit.NewCertificates(t), testkit.NewCertificates(t)
	c, err := LoadCertificate(files.Cert, files.Key, slog.New(slog.DiscardHandler), func() time.Time { return now })
	testkit.Must(t, err)
	serial := func() string {
		t.Helper()
		pair, err := c.get(nil)
		testkit.Must(t, err)
		return pair.Leaf.Issuer.String() + string(pair.Leaf.Signature)
	}
	put := func(from, to string) {
		t.Helper()
		content, err := os.ReadFile(from)
		testkit.Must(t, err)
		before, err := os.Stat(to)
		testkit.Must(t, err)
		testkit.Must(t, os.WriteFile(to, content, 0o600))
		testkit.Must(t, os.Chtimes(to, before.ModTime(), before.ModTime())) // as cp -p of a file with a fixed time
		now = now.Add(certificateCheck)
	}
	first := serial()
	put(renewed.Cert, files.Cert) // without its key
	if serial() != first {
		t.Error("a certificate without its key is used")
	}
	put(renewed.Key, files.Key)
	second := serial()
	if second == first {
		t.Error("the new certificate is not used")
	}
	now = now.Add(certificateCheck)
	testkit.Must(t, os.Remove(files.Key))
	if serial() != second {
		t.Error("the last certificate is not used while a file is away")
	}
}
