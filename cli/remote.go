package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/balerhq/baler/client"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/tlshint"
)

// chooseServer settles what flags and other settings say differently: a flag for Redis or
// the database wins over a server that was set elsewhere.
func chooseServer(cfg *config.Config, flags map[string]any) error {
	for key, flag := range map[string]string{"redis.url": "redis", "database.url": "database"} {
		if _, given := flags[key]; !given {
			continue
		}
		if _, both := flags["server"]; both {
			return usagef("give --server or --%s, not both: the server has its own", flag)
		}
		cfg.Server = ""
	}
	if _, file := flags["token_file"]; file && flags["token"] == nil {
		cfg.Token = "" // of the environment or the file
	}
	return nil
}

// remote is a system behind a server.
type remote struct {
	*client.Client

	url       string
	token     bool // there is one
	transport *http.Transport
}

func (p *program) openRemote(cfg config.Config) (*remote, error) {
	token, err := cfg.ServerToken()
	if err != nil {
		return nil, err
	}
	encryption, err := cfg.ServerTLS()
	if err != nil {
		return nil, err
	}
	r := &remote{url: strings.TrimSuffix(cfg.Server, "/"), token: token != "", transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:       encryption,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 5 * time.Minute, // the server may look at thousands of files before it answers
		IdleConnTimeout:       time.Minute,
		ForceAttemptHTTP2:     true,
	}}
	h := &http.Client{
		Transport:     r.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // it would turn POST into GET
	}
	away := outageNotes{p: p, r: r}
	if r.Client, err = client.New(cfg.Server, client.Options{Token: token, HTTP: h, OnRetry: away.note}); err != nil {
		return nil, usagef("--server: %w", err) // without the text, which may hold a password
	}
	return r, nil
}

func (r *remote) close() { r.transport.CloseIdleConnections() }

// outageNotes tells a person once a minute that the server is waited for.
type outageNotes struct {
	p    *program
	r    *remote
	last time.Time
}

func (o *outageNotes) note(err error) {
	if now := time.Now(); now.Sub(o.last) >= time.Minute {
		o.last = now
		o.p.notef("note: %s; trying again", printable(o.r.explain(err).Error()))
	}
}

// explain turns an error of the client into one for people. Other errors stay.
func (r *remote) explain(err error) error {
	if answer, ok := errors.AsType[*client.Error](err); ok {
		return r.explainAnswer(answer)
	}
	failed, ok := errors.AsType[*url.Error](err)
	if !ok || errors.Is(err, context.Canceled) {
		return err
	}
	distrust, distrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case distrusted:
		return fmt.Errorf("the certificate of %s cannot be trusted (%w): %s",
			r.url, distrust.Err, tlshint.Of(err, tlshint.Settings{Address: "--server", CA: "--server-ca"}))
	case strings.Contains(failed.Err.Error(), "HTTP response to HTTPS client"): // net/http has no type for it
		return fmt.Errorf("%s does not speak TLS: write it with http://", r.url)
	}
	return fmt.Errorf("%s does not answer: %w", r.url, failed.Err)
}

func (r *remote) explainAnswer(e *client.Error) error {
	reason := reasonOf(e)
	switch {
	case e.Status == http.StatusUnauthorized && !r.token:
		return fmt.Errorf("%s needs a token: set BALER_TOKEN, or give --token-file", r.url)
	case e.Status == http.StatusUnauthorized:
		return fmt.Errorf("%s refuses the token", r.url)
	case e.Status >= 300 && e.Status < 400:
		return fmt.Errorf("%s redirects requests (%d): give the address that it leads to as --server", r.url, e.Status)
	case e.Title == "": // not a problem document: a proxy, or something else than Baler
		return fmt.Errorf("%s answers %d (%s): is it the address of a Baler server?", r.url, e.Status, reason)
	case e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError:
		return fmt.Errorf("%s answers %d: %s", r.url, e.Status, reason)
	}
	return errors.New(reason)
}

// reasonOf is what a problem document says.
func reasonOf(e *client.Error) string {
	var texts []string
	for _, one := range e.Errors {
		if one.Message == e.Detail {
			return e.Detail
		}
		texts = append(texts, strings.TrimPrefix(one.Location+": "+one.Message, ": "))
	}
	if len(texts) == 0 {
		return e.Detail
	}
	return strings.Join(texts, "\n")
}
