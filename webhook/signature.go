package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The headers of a message.
const (
	HeaderID        = standardwebhooks.HeaderWebhookID        // the event's ID, the same in every attempt
	HeaderTimestamp = standardwebhooks.HeaderWebhookTimestamp // when this attempt was made, in Unix seconds
	HeaderSignature = standardwebhooks.HeaderWebhookSignature // "v1," and base64, several with spaces between; absent without a secret
)

// DefaultTolerance is how far a message's time may be from the receiver's clock.
const DefaultTolerance = 5 * time.Minute

// secretPrefix marks a secret whose rest is base64.
const secretPrefix = "whsec_"

// The ways in which a signature can be wrong.
var (
	ErrBadSignature     = errors.New("the signature does not match the message")
	ErrExpiredSignature = errors.New("the message was signed too long ago or in the future")
)

// VerifySignature checks, at a receiver, that the sender of a message knows the secret,
// and that it was sent at most tolerance before or after now, so that a recorded
// message cannot be sent again later. The body is the request's, byte for byte. A
// tolerance of 0 means DefaultTolerance. Within the tolerance the same event may come
// again: compare HeaderID.
//
// A secret that begins with "whsec_" holds the key as base64; any other secret
// is the key itself, as bytes. The error wraps ErrBadSignature or
// ErrExpiredSignature, unless CheckSecret refuses the secret. The comparison
// takes constant time.
func VerifySignature(secret string, header http.Header, body []byte, tolerance time.Duration, now time.Time) error {
	signer, err := newSigner(secret)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(header.Get(HeaderTimestamp), 10, 64)
	if err != nil {
		return fmt.Errorf("%w: the header %s has no number of seconds", ErrBadSignature, HeaderTimestamp)
	}
	// The library's own check of the time has neither a tolerance nor a clock to set.
	if err := signer.VerifyIgnoringTimestamp(body, header); err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return fmt.Errorf("%w: its age is %s", ErrExpiredSignature, age.Round(time.Second))
	}
	return nil
}

// Sign sets the three headers of one attempt to send a message. Without a secret
// there is no signature. The error is that of CheckSecret.
func Sign(header http.Header, secret, id string, body []byte, now time.Time) error {
	header.Set(HeaderID, id)
	header.Set(HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	if secret == "" {
		return nil
	}
	signer, err := newSigner(secret)
	if err != nil {
		return err
	}
	signature, err := signer.Sign(id, now, body)
	if err != nil {
		return fmt.Errorf("sign webhook: %w", err)
	}
	header.Set(HeaderSignature, signature)
	return nil
}

// CheckSecret says why a secret cannot sign: it is empty, or begins with
// "whsec_" and the rest is not base64. The error does not show the secret.
func CheckSecret(secret string) error {
	_, err := key(secret)
	return err
}

func newSigner(secret string) (*standardwebhooks.Webhook, error) {
	k, err := key(secret)
	if err != nil {
		return nil, err
	}
	return standardwebhooks.NewWebhookRaw(k)
}

func key(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		if secret == "" {
			return nil, errors.New("the webhook secret is empty")
		}
		return []byte(secret), nil
	}
	k, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(k) == 0 {
		return nil, errors.New("the webhook secret begins with whsec_, so base64 must follow")
	}
	return k, nil
}
