package doctor

import (
	"crypto/tls"
	"errors"
	"time"

	"github.com/balerhq/baler/config"
)

// renewBefore is how long before its end a certificate should have been renewed.
const renewBefore = 14 * 24 * time.Hour

// certificate checks the certificate of serve.
func (d *doctor) certificate(files config.HTTPCertificate) Check {
	const advice = "correct http.tls.cert and http.tls.key (BALER_HTTP_TLS_CERT and _KEY): serve does not start"
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return ill("https", StatusError, err, advice)
	}
	leaf, now := pair.Leaf, d.now()
	end := leaf.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case now.Before(leaf.NotBefore):
		return ill("https", StatusError, errors.New("the certificate is not valid yet"), "correct this host's clock, or the certificate")
	case now.After(leaf.NotAfter):
		return ill("https", StatusError, errors.New("the certificate ended on "+end), "renew it: browsers and programs refuse it")
	case leaf.NotAfter.Sub(now) < renewBefore:
		c := well("https", "the certificate ends on %s", end)
		c.Status, c.Hint = StatusWarning, "renew it; serve reads the new one by itself"
		return c
	}
	return well("https", "the certificate is valid until %s", end)
}
