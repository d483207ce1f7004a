package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// errStream is the error of a stream of events that ended before the transfer did.
var errStream = errors.New("the stream of events ended early")

// Wait waits until a transfer has ended, and returns it. It calls progress with the transfer
// at once and whenever it has changed; progress may be nil. A server that goes away
// meanwhile is waited for until ctx ends.
func (c *Client) Wait(ctx context.Context, id string, progress func(Transfer)) (t Transfer, err error) {
	had := ""
	for attempt := 1; ; attempt++ {
		before := had
		t, err = c.events(ctx, id, &had, progress)
		if err == nil {
			return t, nil
		}
		if had != before {
			attempt = 1
		}
		wait, again := pause(err, attempt)
		if !again || ctx.Err() != nil {
			return t, err
		}
		c.onRetry(err)
		if err := sleep(ctx, wait); err != nil {
			return t, err
		}
	}
}

// events follows a transfer over one connection. had is the id of the last event.
func (c *Client) events(ctx context.Context, id string, had *string, progress func(Transfer)) (t Transfer, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer silent.Stop()
	req, err := c.newRequest(ctx, http.MethodGet, "/transfers/"+url.PathEscape(id)+"/events", nil)
	if err != nil {
		return t, err
	}
	if *had != "" {
		req.Header.Set("Last-Event-ID", *had)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return t, because(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // only read from
	if res.StatusCode != http.StatusOK {
		return t, problemOf(res)
	}
	r := bufio.NewReader(res.Body)
	for {
		e, err := readEvent(r)
		if err != nil {
			return t, fmt.Errorf("%w: %w", errStream, because(ctx, err))
		}
		silent.Reset(silence)
		if e.data == "" {
			continue
		}
		t = Transfer{}
		if err := json.Unmarshal([]byte(e.data), &t); err != nil {
			return t, err
		}
		*had = e.id
		if progress != nil {
			progress(t)
		}
		if e.name == "end" {
			return t, nil
		}
	}
}

// silence is how long the server may send nothing: it sends something every 15 seconds.
const silence = time.Minute

var errSilent = errors.New("the server has sent nothing for a minute")

// because is why a request failed whose context has ended for a reason of ours.
func because(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errSilent) {
		return errSilent
	}
	return err
}

type event struct{ name, id, data string }

// readEvent reads one event
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
func readEvent(r *bufio.Reader) (e event, err error) {
	for {
		text, err := r.ReadString('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return e, err
		}
		text = strings.TrimRight(text, "\r\n")
		field, value, _ := strings.Cut(text, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case text == "":
			return e, nil
		case field == "event":
			e.name = value
		case field == "id":
			e.id = value
		case field == "data":
			e.data += value
		}
	}
}
