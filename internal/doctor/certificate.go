package doctor

import (
	"crypto/tls"
	"errors"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/expiry"
)

// certificates checks the certificate of serve, and those that Baler shows to Redis and MySQL.
func (d *doctor) certificates() (checks []Check) {
	if files := d.cfg.HTTP.TLS; files.Cert != "" {
		checks = append(checks, d.certificate("https", files.Cert, files.Key, certificateAdvice{
			unusable: "correct http.tls.cert and http.tls.key (BALER_HTTP_TLS_CERT and _KEY): serve does not start",
			expired:  "renew it: browsers and programs refuse it",
			ending:   "renew it; serve reads the new one by itself",
		}))
	}
	for _, c := range []struct {
		name, setting, variable, server string
		files                           config.TLS
	}{
		{"queue certificate", "redis.tls", "BALER_REDIS_TLS", "Redis", d.cfg.Redis.TLS},
		{"database certificate", "database.tls", "BALER_DATABASE_TLS", "MySQL", d.cfg.Database.TLS},
	} {
		if c.files.Cert == "" {
			continue
		}
		checks = append(checks, d.certificate(c.name, c.files.Cert, c.files.Key, certificateAdvice{
			unusable: "correct " + c.setting + ".cert and .key (" + c.variable + "_CERT and _KEY): no process connects to " + c.server,
			expired:  "renew it, and restart the processes that use it: " + c.server + " refuses it",
			ending:   "renew it, and restart the processes that use it: they read it when they start",
		}))
	}
	return checks
}

// certificateAdvice is what to do about a certificate.
type certificateAdvice struct{ unusable, expired, ending string }

// certificate checks the files and the dates of a certificate.
func (d *doctor) certificate(name, cert, key string, advice certificateAdvice) Check {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return ill(name, StatusError, err, advice.unusable)
	}
	switch validity, found := expiry.Check(pair.Leaf, d.now()); validity {
	case expiry.NotYetValid:
		return ill(name, StatusError, errors.New(found), "correct this host's clock, or the certificate")
	case expiry.Expired:
		return ill(name, StatusError, errors.New(found), advice.expired)
	case expiry.Ending:
		return ill(name, StatusWarning, errors.New(found), advice.ending)
	default:
		return well(name, "%s", found)
	}
}
