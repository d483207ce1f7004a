package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader carries the signature of a webhook's message:
// "t=<Unix seconds>,v1=<hex HMAC-SHA256 of the seconds, a dot, and the body>".
const SignatureHeader = "Baler-Signature"

// The ways in which a signature can be wrong.
var (
	ErrBadSignature     = errors.New("the signature does not fit the message")
	ErrExpiredSignature = errors.New("the signature is not of this time")
)

// VerifySignature checks, at a receiver, that a message comes from who has the
// secret, and that it was sent no longer than tolerance before now, nor after:
// what somebody recorded cannot be played again later. Body is the request's,
// byte for byte; header is its SignatureHeader. A tolerance of 0 means five
// minutes. Within it, the same event may come again: compare Baler-Event.
//
// The error wraps ErrBadSignature or ErrExpiredSignature.
func VerifySignature(secret, header string, body []byte, tolerance time.Duration, now time.Time) error {
	if secret == "" {
		return fmt.Errorf("%w: there is no secret to check it with", ErrBadSignature)
	}
	stamp, sums := parseSignature(header)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: it has no time", ErrBadSignature)
	}
	want := digest(secret, stamp, body)
	fits := false
	for _, sum := range sums {
		got, err := hex.DecodeString(sum)
		fits = fits || err == nil && hmac.Equal(got, want)
	}
	if !fits {
		return ErrBadSignature
	}
	if tolerance == 0 {
		tolerance = 5 * time.Minute
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return fmt.Errorf("%w: it was made %s ago", ErrExpiredSignature, age.Round(time.Second))
	}
	return nil
}

// parseSignature takes a header apart. There may be several sums, as while
// secrets are exchanged; what else there may be one day is passed over.
func parseSignature(header string) (stamp string, sums []string) {
	for part := range strings.SplitSeq(header, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			stamp = value
		case "v1":
			sums = append(sums, value)
		}
	}
	return stamp, sums
}

func Sign(secret string, body []byte, now time.Time) string {
	stamp := strconv.FormatInt(now.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(digest(secret, stamp, body))
}

func digest(secret, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	for _, part := range [][]byte{[]byte(stamp), {'.'}, body} {
		_, _ = mac.Write(part) // a hash never fails to write
	}
	return mac.Sum(nil)
}
