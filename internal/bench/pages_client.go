package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"time"
)

// pageClient requests pages like a browser: it accepts gzip, and keeps its connection.
type pageClient struct {
	url  string
	http *http.Client
}

// answerTime is how long an answer may take.
const answerTime = time.Minute

func newPageClient(url string) *pageClient {
	return &pageClient{url, &http.Client{
		Timeout:   answerTime,
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1}, // the size as sent counts
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("it is redirected: does it ask for a login?")
		},
	}}
}

func (c *pageClient) close() { c.http.CloseIdleConnections() }

// answer is what came back.
type answer struct {
	status    int           // 0: nothing came
	firstByte time.Duration // from the request to the first byte
	body      []byte        // as sent
	encoding  string
}

// get requests an address of the server. It is an error when the status is not 200.
func (c *pageClient) get(ctx context.Context, address string) (a answer, err error) {
	var first time.Time
	trace := &httptrace.ClientTrace{GotFirstResponseByte: func() { first = time.Now() }}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodGet, c.url+address, nil)
	if err != nil {
		return a, fmt.Errorf("get %s: %w", address, err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	begun := time.Now()
	w, err := c.http.Do(r)
	if err != nil {
		return a, fmt.Errorf("get %s: %w", address, err)
	}
	defer w.Body.Close()
	a.status, a.encoding, a.firstByte = w.StatusCode, w.Header.Get("Content-Encoding"), first.Sub(begun)
	if a.body, err = io.ReadAll(w.Body); err != nil {
		return a, fmt.Errorf("get %s: %w", address, err)
	}
	if a.status != http.StatusOK {
		return a, fmt.Errorf("get %s: %s", address, w.Status)
	}
	return a, nil
}

// text is the body of an answer without compression.
func (a *answer) text() ([]byte, error) {
	if a.encoding != "gzip" {
		return a.body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return io.ReadAll(z)
}

// assetLink is what a page loads: style sheets, scripts and pictures have one address within the server.
var assetLink = regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`)

// assets adds up the bytes, as sent, of all that a page loads for a first visitor.
func (c *pageClient) assets(ctx context.Context, page answer) (bytes int, err error) {
	text, err := page.text()
	if err != nil {
		return 0, err
	}
	seen := make(map[string]bool)
	for _, link := range assetLink.FindAllSubmatch(text, -1) {
		address := string(link[1])
		if seen[address] {
			continue
		}
		seen[address] = true
		a, err := c.get(ctx, address)
		if err != nil {
			return 0, err
		}
		bytes += len(a.body)
	}
	return bytes, nil
}
