package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/egress"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/webhook"
)

// httpPoster sends messages by HTTP.
type httpPoster struct {
	client  *http.Client
	secret  string
	agent   string
	timeout time.Duration
}

// send makes one attempt. It returns nil when the receiver has accepted the
// message. The error does not contain the URL.
func (p *httpPoster) send(ctx context.Context, d *store.WebhookDelivery, now time.Time) error {
	header := http.Header{"Baler-Delivery": {strconv.Itoa(d.Attempts)}}
	if err := webhook.Sign(header, p.secret, d.Event, []byte(d.Body), now); err != nil {
		return err
	}
	return p.post(ctx, d.URL, strings.NewReader(d.Body), header)
}

// post sends JSON to a URL, with more headers.
func (p *httpPoster) post(ctx context.Context, address string, body io.Reader, header http.Header) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.timeout, fmt.Errorf("no answer within %s", p.timeout))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return withoutURL(err)
	}
	maps.Copy(r.Header, header)
	for name, value := range tracing.Headers(ctx) {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", p.agent)
	response, err := p.client.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }() // only the status matters
	// The connection can be reused only after its body has been read. An error
	// here does not change the response.
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return fmt.Errorf("answered %d %s, and redirects are not followed", code, http.StatusText(code))
	default:
		return fmt.Errorf("answered %d %s", code, http.StatusText(code))
	}
}

// withoutURL removes the URL from an error that is stored and logged: the URLs of
// webhooks are secrets.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// newClient follows no redirects: a message goes to the configured URL only. It checks
// the address that a host's name has when it connects, and so it uses no proxy, which
// would connect to addresses that were not checked.
func newClient(reach egress.Policy) *http.Client {
	dialer := net.Dialer{Timeout: 5 * time.Second, Control: reach.Control}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			ForceAttemptHTTP2:      true,
		},
	}
}
