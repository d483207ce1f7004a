package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/balerhq/baler/store"
	"github.com/balerhq/baler/webhook"
)

// httpPoster makes one delivery.
type httpPoster struct {
	client  *http.Client
	secret  string
	agent   string
	timeout time.Duration
}

// send posts a message. Its error says without the address what went wrong;
// it is nil when the receiver has accepted the message.
func (p *httpPoster) send(ctx context.Context, n *store.WebhookDelivery, now time.Time) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.timeout, fmt.Errorf("no answer within %s", p.timeout))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL, strings.NewReader(n.Body))
	if err != nil {
		return bare(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", p.agent)
	r.Header.Set("Baler-Delivery", strconv.Itoa(n.Attempts))
	if err := webhook.Sign(r.Header, p.secret, n.Event, []byte(n.Body), now); err != nil {
		return err
	}
	answer, err := p.client.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return bare(err)
	}
	defer func() { _ = answer.Body.Close() }() // the status says all
	// A short rest is read so that the connection can be used again; one that
	// breaks off changes nothing of the answer.
	_, _ = io.CopyN(io.Discard, answer.Body, 4<<10)
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return fmt.Errorf("answered %d %s, and redirects are not followed", code, http.StatusText(code))
	default:
		return fmt.Errorf("answered %d %s", code, http.StatusText(code))
	}
}

// bare takes the address off an error: it is stored and logged, and addresses
// of webhooks are secrets.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// newClient follows no redirects: whoever set the address meant that one, and
// the message is signed for it.
func newClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			ForceAttemptHTTP2:      true,
		},
	}
}
