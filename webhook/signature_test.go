package webhook_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/webhook"
)

// A message as another implementation signs it; docs/webhooks.md has the commands.
const (
	testSecret    = "whsec_YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcyBvayE="
	testID        = "msg_1"
	testBody      = `{"event":"x"}`
	testTime      = 1700000000
	testSignature = "v1,xYj+gHQJgKRqYFpJkoKUVHj5R2zQDmPR9O7uAToiv8Q="

	// The same message under the secret "hush", which is used as bytes.
	rawSignature = "v1,29xRja+oUg5hoZu9NXhbA51UtmPwY0xc8HRYSzuaT/Y="
)

func headerOf(id, timestamp, signature string) http.Header {
	h := http.Header{}
	h.Set(webhook.HeaderID, id)
	h.Set(webhook.HeaderTimestamp, timestamp)
	h.Set(webhook.HeaderSignature, signature)
	return h
}

func TestVerifySignature(t *testing.T) {
	t.Parallel()
	const seconds = "1700000000"
	at := time.Unix(testTime, 0)
	right := headerOf(testID, seconds, testSignature)
	signed := func(signature string) http.Header { return headerOf(testID, seconds, signature) }
	for name, tc := range map[string]struct {
		secret    string
		header    http.Header
		body      string
		tolerance time.Duration
		now       time.Time
		want      error
	}{
		"right":               {testSecret, right, testBody, time.Minute, at, nil},
		"a secret of bytes":   {"hush", signed(rawSignature), testBody, time.Minute, at, nil},
		"at the limit":        {testSecret, right, testBody, time.Minute, at.Add(time.Minute), nil},
		"a fast clock":        {testSecret, right, testBody, time.Minute, at.Add(-time.Minute), nil},
		"five minutes":        {testSecret, right, testBody, 0, at.Add(5 * time.Minute), nil},
		"several signatures":  {testSecret, signed("v1a,x v1,AAAA " + testSignature), testBody, 0, at, nil},
		"too old":             {testSecret, right, testBody, time.Minute, at.Add(61 * time.Second), webhook.ErrExpiredSignature},
		"of the future":       {testSecret, right, testBody, time.Minute, at.Add(-61 * time.Second), webhook.ErrExpiredSignature},
		"older than five":     {testSecret, right, testBody, 0, at.Add(301 * time.Second), webhook.ErrExpiredSignature},
		"old and wrong":       {"hush", right, testBody, 0, at.Add(time.Hour), webhook.ErrBadSignature},
		"another secret":      {"hush", right, testBody, 0, at, webhook.ErrBadSignature},
		"another body":        {testSecret, right, testBody + "\n", 0, at, webhook.ErrBadSignature},
		"another ID":          {testSecret, headerOf("msg_2", seconds, testSignature), testBody, 0, at, webhook.ErrBadSignature},
		"another time":        {testSecret, headerOf(testID, "1700000001", testSignature), testBody, 0, at, webhook.ErrBadSignature},
		"another version":     {testSecret, signed("v2" + testSignature[2:]), testBody, 0, at, webhook.ErrBadSignature},
		"a shorter signature": {testSecret, signed(testSignature[:len(testSignature)-4]), testBody, 0, at, webhook.ErrBadSignature},
		"an empty signature":  {testSecret, signed("v1,"), testBody, 0, at, webhook.ErrBadSignature},
		"no signature":        {testSecret, signed(""), testBody, 0, at, webhook.ErrBadSignature},
		"no ID":               {testSecret, headerOf("", seconds, testSignature), testBody, 0, at, webhook.ErrBadSignature},
		"no time":             {testSecret, headerOf(testID, "", testSignature), testBody, 0, at, webhook.ErrBadSignature},
		"no number":           {testSecret, headerOf(testID, "now", testSignature), testBody, 0, at, webhook.ErrBadSignature},
		"no headers":          {testSecret, http.Header{}, testBody, 0, at, webhook.ErrBadSignature},
	} {
		err := webhook.VerifySignature(tc.secret, tc.header, []byte(tc.body), tc.tolerance, tc.now)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

func TestSignSetsTheHeadersOfTheSpecification(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]string{testSecret: testSignature, "hush": rawSignature, "": ""} {
		h := http.Header{}
		if err := webhook.Sign(h, secret, testID, []byte(testBody), time.Unix(testTime, 999)); err != nil {
			t.Errorf("secret %q: %v", secret, err)
		}
		if h.Get("webhook-id") != testID || h.Get("webhook-timestamp") != "1700000000" || h.Get("webhook-signature") != want {
			t.Errorf("secret %q: got %v, want the signature %q", secret, h, want)
		}
	}
}

func TestSecretsThatCannotSignAreRefused(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"", "whsec_", "whsec_no base64", "whsec_YQ"} {
		err := webhook.CheckSecret(secret)
		if err == nil || strings.Contains(err.Error(), "no base64") {
			t.Errorf("%q: got %v", secret, err)
		}
		if got := webhook.VerifySignature(secret, headerOf(testID, "1700000000", testSignature), nil, 0, time.Unix(testTime, 0)); got == nil {
			t.Errorf("%q verifies", secret)
		}
		if h := (http.Header{}); secret != "" && webhook.Sign(h, secret, testID, nil, time.Unix(testTime, 0)) == nil {
			t.Errorf("%q signs: %v", secret, h)
		}
	}
	for _, secret := range []string{"hush", testSecret, "WHSEC_x", "not whsec_"} {
		if err := webhook.CheckSecret(secret); err != nil {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

// For any header, only the correct signature is accepted.
func FuzzVerifySignature(f *testing.F) {
	f.Add(testSignature, []byte(testBody))
	f.Add("v1, v1,AAAA", []byte(nil))
	f.Add("v1,xYj v2,zz ,", []byte{0})
	f.Fuzz(func(t *testing.T, signature string, body []byte) {
		err := webhook.VerifySignature(testSecret, headerOf(testID, "1700000000", signature), body, 0, time.Unix(testTime, 0))
		if err == nil && (string(body) != testBody || !strings.Contains(signature, testSignature)) {
			t.Errorf("%q is accepted for %q", signature, body)
		}
	})
}
