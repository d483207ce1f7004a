package expiry

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	end := begin.AddDate(0, 3, 0)
	c := &x509.Certificate{NotBefore: begin, NotAfter: end}
	for _, test := range []struct {
		at   time.Time
		want Validity
		text string
	}{
		{begin.Add(-time.Second), NotYetValid, "not valid before 2026-01-01 00:00 UTC"},
		{begin, Valid, "valid until 2026-04-01 00:00 UTC"},
		{end.Add(-RenewBefore), Valid, "valid until"},
		{end.Add(-RenewBefore + time.Second), Ending, "ends on 2026-04-01 00:00 UTC, in 13 days"},
		{end, Ending, "in 0 days"},
		{end.Add(time.Second), Expired, "ended on 2026-04-01 00:00 UTC"},
	} {
		if got, text := Check(c, test.at); got != test.want || !strings.Contains(text, test.text) {
			t.Errorf("at %s: %v, %q; want %v, %q", test.at, got, text, test.want, test.text)
		}
	}
}
