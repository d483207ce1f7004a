package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// Exported says what Export has written.
type Exported struct {
	Files   int64 // 0 in formats that have only results
	Results int64
	State   string // of the transfer when it was exported
}

// ErrIncomplete is the error for an export that has broken off.
var ErrIncomplete = errors.New("the export is not complete")

// Export writes a transfer to w as jsonl, csv or parquet: all of its results, as they are at the
// moment of the call. It tries again until the server begins to answer. After an error what was
// written is not complete.
func (c *Client) Export(ctx context.Context, id, format string, w io.Writer) (done Exported, err error) {
	res, err := c.open(ctx, "/transfers/"+url.PathEscape(id)+"/export?format="+url.QueryEscape(format))
	if err != nil {
		return done, err
	}
	defer func() { _ = res.Body.Close() }() // only read from
	read := &readErrors{r: res.Body}
	if _, err := io.Copy(w, read); err != nil {
		if read.err != nil {
			err = fmt.Errorf("%w: %w; try again", ErrIncomplete, err)
		}
		return done, err
	}
	if done.Results, err = strconv.ParseInt(res.Trailer.Get("Baler-Results"), 10, 64); err == nil {
		done.Files, err = strconv.ParseInt(res.Trailer.Get("Baler-Files"), 10, 64)
	}
	if err != nil {
		return done, fmt.Errorf("%w: the server, or a proxy before it, has not sent how much it is", ErrIncomplete)
	}
	done.State = res.Trailer.Get("Baler-State")
	return done, nil
}

// readErrors remembers an error of reading, which io.Copy does not tell from one of writing.
type readErrors struct {
	r   io.Reader
	err error
}

func (r *readErrors) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// open makes a request until it is answered, and returns the answer with its body.
func (c *Client) open(ctx context.Context, path string) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		req, err := c.newRequest(ctx, http.MethodGet, path, nil)
		if err != nil {
			return nil, err
		}
		res, err := c.http.Do(req)
		if err == nil && res.StatusCode < http.StatusMultipleChoices {
			return res, nil
		}
		if err == nil {
			err = problemOf(res)
			_ = res.Body.Close() // only read from
		}
		wait, again := pause(err, attempt)
		if !again || attempt >= c.attempts || ctx.Err() != nil {
			return nil, err
		}
		c.onRetry(err)
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}
