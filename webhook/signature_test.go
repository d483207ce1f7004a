package webhook_test

import (
	"errors"
	"github.com/balerhq/baler/webhook"
	"strings"
	"testing"
	"time"
)

// signed is a message as another implementation signs it:
//
//	printf '1700000000.{"event":"x"}' | openssl dgst -sha256 -hmac hush
const (
	signedBody = `{"event":"x"}`
	signedAt   = 1700000000
	signedSum  = "1f7efa17219501341bc10db15d6a584ff71ba5717da7064b626699bb47021aff"
	signature  = "t=1700000000,v1=" + signedSum
)

func TestVerifySignature(t *testing.T) {
	t.Parallel()
	at := time.Unix(signedAt, 0)
	for name, tc := range map[string]struct {
		secret, header, body string
		tolerance            time.Duration
		now                  time.Time
		want                 error
	}{
		"right":               {"hush", signature, signedBody, time.Minute, at, nil},
		"in time":             {"hush", signature, signedBody, time.Minute, at.Add(time.Minute), nil},
		"a fast clock":        {"hush", signature, signedBody, time.Minute, at.Add(-time.Minute), nil},
		"five minutes":        {"hush", signature, signedBody, 0, at.Add(5 * time.Minute), nil},
		"with more in it":     {"hush", "v0=x, " + strings.Replace(signature, ",", ",v1=00,", 1) + ",v2=y", signedBody, 0, at, nil},
		"too old":             {"hush", signature, signedBody, time.Minute, at.Add(61 * time.Second), webhook.ErrExpiredSignature},
		"of the future":       {"hush", signature, signedBody, time.Minute, at.Add(-61 * time.Second), webhook.ErrExpiredSignature},
		"older than five":     {"hush", signature, signedBody, 0, at.Add(301 * time.Second), webhook.ErrExpiredSignature},
		"another secret":      {"Hush", signature, signedBody, 0, at, webhook.ErrBadSignature},
		"another body":        {"hush", signature, signedBody + "\n", 0, at, webhook.ErrBadSignature},
		"another time":        {"hush", strings.Replace(signature, "000,", "001,", 1), signedBody, 0, at, webhook.ErrBadSignature},
		"a shorter sum":       {"hush", signature[:len(signature)-2], signedBody, 0, at, webhook.ErrBadSignature},
		"no hexadecimal sum":  {"hush", signature[:len(signature)-1] + "x", signedBody, 0, at, webhook.ErrBadSignature},
		"no sum":              {"hush", "t=1700000000", signedBody, 0, at, webhook.ErrBadSignature},
		"an empty sum":        {"hush", "t=1700000000,v1=", signedBody, 0, at, webhook.ErrBadSignature},
		"no time":             {"hush", "v1=" + signedSum, signedBody, 0, at, webhook.ErrBadSignature},
		"no number":           {"hush", strings.Replace(signature, "t=", "t=x", 1), signedBody, 0, at, webhook.ErrBadSignature},
		"nothing":             {"hush", "", signedBody, 0, at, webhook.ErrBadSignature},
		"nothing to check by": {"", signature, signedBody, 0, at, webhook.ErrBadSignature},
	} {
		err := webhook.VerifySignature(tc.secret, tc.header, []byte(tc.body), tc.tolerance, tc.now)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

// Whatever stands in the header, only the right sum is accepted.
func FuzzVerifySignature(f *testing.F) {
	f.Add(signature, []byte(signedBody))
	f.Add("t=1,v1=,v1=00", []byte(nil))
	f.Add("t=9223372036854775807,v1=zz,t", []byte{0})
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		err := webhook.VerifySignature("hush", header, body, 0, time.Unix(signedAt, 0))
		if err == nil && (string(body) != signedBody || !strings.Contains(strings.ToLower(header), signedSum)) {
			t.Errorf("%q is accepted for %q", header, body)
		}
	})
}
