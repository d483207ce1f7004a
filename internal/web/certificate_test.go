package web

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
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

// The end of the certificate is the metric's, also when nobody connects, and a warning tells of it.
func TestEndOfCertificate(t *testing.T) {
	t.Parallel()
	begin := time.Now().Truncate(time.Second)
	now := begin
	const day = 24 * time.Hour
	for end, want := range map[time.Duration]string{
		-day: "browsers and programs refuse the certificate: the certificate ended on ", 3*day + time.Hour: "in 3 days", 30 * day: "",
		2 * 366 * day: "browsers and programs refuse the certificate: the certificate is not valid before ",
	} {
		files := testkit.NewCertificatesUntil(t, begin.Add(end))
		var log bytes.Buffer
		c, err := LoadCertificate(files.Cert, files.Key, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return begin })
		testkit.Must(t, err)
		c.WarnOfEnd()
		if got := log.String(); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("with %s left it logs %q", end, got)
		}
	}

	var log bytes.Buffer
	files, renewed := testkit.NewCertificatesUntil(t, begin.Add(day)), testkit.NewCertificatesUntil(t, begin.Add(5*day))
	c, err := LoadCertificate(files.Cert, files.Key, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	testkit.Must(t, err)
	if got := c.End(); !got.Equal(begin.Add(day)) {
		t.Errorf("it ends on %s", got)
	}
	testkit.Must(t, os.Rename(renewed.Cert, files.Cert))
	testkit.Must(t, os.Rename(renewed.Key, files.Key))
	now = now.Add(certificateCheck)
	if got := c.End(); !got.Equal(begin.Add(5 * day)) {
		t.Errorf("the new one ends on %s", got)
	}
	if got := log.String(); !strings.Contains(got, "was read again") || !strings.Contains(got, "in 4 days") {
		t.Errorf("it logs %q", got)
	}
}
