package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

func TestCertificates(t *testing.T) {
	t.Parallel()
	now := time.Now()
	d := &doctor{now: func() time.Time { return now }}
	if got := d.certificates(); len(got) > 0 {
		t.Errorf("without certificates: %v", got)
	}
	expired := testkit.NewCertificatesUntil(t, now.Add(-time.Hour))
	ending := testkit.NewCertificatesUntil(t, now.Add(13*24*time.Hour))
	fine := testkit.NewCertificatesUntil(t, now.Add(15*24*time.Hour))
	d.cfg.HTTP.TLS = config.HTTPCertificate{Cert: fine.Cert, Key: fine.Key}
	d.cfg.Redis.TLS = config.TLS{Cert: ending.Cert, Key: ending.Key}
	d.cfg.Database.TLS = config.TLS{Cert: expired.Cert, Key: expired.Key}
	expect := func(want ...string) {
		t.Helper()
		var got []string
		for _, c := range d.certificates() {
			got = append(got, c.Name+" "+string(c.Status))
			if (c.Hint == "") != (c.Status == StatusOK) {
				t.Errorf("%s has the hint %q", c.Name, c.Hint)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	expect("https ok", "queue certificate warning", "database certificate failed")
	d.cfg.Database.TLS.Cert += "-gone"
	d.cfg.Redis.TLS.Key = fine.Key
	now = now.AddDate(-2, 0, 0)
	expect("https failed", "queue certificate failed", "database certificate failed")
	if c := d.certificates()[2]; !strings.Contains(c.Hint, "BALER_DATABASE_TLS_CERT") {
		t.Errorf("a file that is not there: %+v", c)
	}
}
