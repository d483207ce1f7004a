package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Options configure a Client. The zero value is ready for use.
type Options struct {
	Token string       // of the server; empty: none
	HTTP  *http.Client // nil: http.DefaultClient

	// Attempts is how often a request is made that can be repeated; 0: 5.
	Attempts int

	// OnRetry learns why a request is repeated, before it is; it may be nil.
	OnRetry func(error)
}

// Client talks to one server. Make one with New.
type Client struct {
	base     string
	token    string
	http     *http.Client
	attempts int
	onRetry  func(error)
}

// New makes a Client of the server at a URL, such as http://127.0.0.1:8080.
func New(server string, o Options) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the address of a server is a URL such as https://baler.example.org")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the address of a server has no user, query or fragment; the token is an option of its own")
	}
	c := &Client{base: strings.TrimSuffix(u.String(), "/") + "/v1", token: o.Token, http: o.HTTP, attempts: o.Attempts, onRetry: o.OnRetry}
	if c.http == nil {
		c.http = http.DefaultClient
	}
	if c.attempts == 0 {
		c.attempts = 5
	}
	if c.onRetry == nil {
		c.onRetry = func(error) {}
	}
	return c, nil
}

// Error is an answer of the server that is not what was asked for: its problem document
// (RFC 9457).
type Error struct {
	Status int    `json:"status"` // of HTTP
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"` // such as body.recipe
	} `json:"errors"`
}

func (e *Error) Error() string {
	texts := []string{e.Detail}
	for _, one := range e.Errors {
		if one.Message != e.Detail {
			texts = append(texts, strings.TrimPrefix(one.Location+": "+one.Message, ": "))
		}
	}
	return fmt.Sprintf("the server answers %d: %s", e.Status, strings.Join(texts, "; "))
}

// request is one request that may be made several times.
type request struct {
	method, path string
	body         any // sent as JSON; nil: none
	key          string
	once         bool   // must not be repeated
	kind         string // media type of a request without a body; empty: none
}

// call makes a request, and decodes the answer into out unless that is nil.
func (c *Client) call(ctx context.Context, r request, out any) error {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
	}
	for attempt := 1; ; attempt++ {
		err := c.try(ctx, r, body, out)
		wait, again := pause(err, attempt)
		if err == nil || !again || r.once || attempt >= c.attempts || ctx.Err() != nil {
			return err
		}
		c.onRetry(err)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (c *Client) try(ctx context.Context, r request, body []byte, out any) error {
	var reader io.Reader
	if r.body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := c.newRequest(ctx, r.method, r.path, reader)
	if err != nil {
		return err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.kind != "" {
		req.Header.Set("Content-Type", r.kind)
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	return c.do(req, out)
}

func (c *Client) newRequest(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// maxAnswer limits an answer, in bytes: a page of a thousand results with their whole output.
const maxAnswer = 256 << 20

func (c *Client) do(req *http.Request, out any) error {
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // only read from
	if res.StatusCode >= http.StatusMultipleChoices {
		return problemOf(res)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
		return err
	}
	if text, ok := out.(*rawText); ok {
		return text.read(res.Body)
	}
	err = json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out)
	if _, wrong := errors.AsType[*json.SyntaxError](err); wrong {
		return &Error{Status: res.StatusCode, Detail: "the answer is no JSON"}
	}
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", req.URL.Path, err)
	}
	return nil
}

// busyError is an error of a server that asks to come back later.
type busyError struct {
	answer *Error
	after  time.Duration // 0: it does not say when
}

func (e *busyError) Error() string { return e.answer.Error() }

func (e *busyError) Unwrap() error { return e.answer }

func problemOf(res *http.Response) error {
	e := &Error{Status: res.StatusCode}
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil || json.Unmarshal(text, e) != nil || e.Detail == "" { // a proxy may answer in its own way
		e.Detail = http.StatusText(res.StatusCode)
	}
	e.Status = res.StatusCode
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		after, err := strconv.Atoi(res.Header.Get("Retry-After"))
		if err != nil || after < 0 {
			after = 0
		}
		return &busyError{e, time.Duration(after) * time.Second}
	}
	return e
}

// Pauses between two attempts.
const (
	firstPause = 200 * time.Millisecond
	mostPause  = 10 * time.Second

	mostDoublings = 10 // of the first pause, which is longer than mostPause then
)

// pause is how long to wait before a request is repeated, and whether to repeat it.
func pause(err error, attempt int) (time.Duration, bool) {
	busy, isBusy := errors.AsType[*busyError](err)
	_, answered := errors.AsType[*Error](err)
	_, distrusted := errors.AsType[*tls.CertificateVerificationError](err)
	name, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case isBusy && busy.after > 0:
		return busy.after, true
	case answered && !isBusy, distrusted, unknown && name.IsNotFound:
		return 0, false
	}
	wait := min(firstPause<<min(attempt-1, mostDoublings), mostPause)
	return wait/2 + rand.N(wait/2), true // apart from other clients
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
