package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
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
		if err := sleep(ctx, wait); err != nil {
			return t, err
		}
	}
}

// events follows a transfer over one connection. had is the id of the last event.
func (c *Client) events(ctx context.Context, id string, had *string, progress func(Transfer)) (t Transfer, err error) {
	req, err := c.newRequest(ctx, http.MethodGet, "/transfers/"+url.PathEscape(id)+"/events", nil)
	if err != nil {
		return t, err
	}
	if *had != "" {
		req.Header.Set("Last-Event-ID", *had)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return t, err
	}
	defer func() { _ = res.Body.Close() }() // only read from
	if res.StatusCode != http.StatusOK {
		return t, problemOf(res)
	}
	r := bufio.NewReader(res.Body)
	for {
		e, err := readEvent(r)
		if err != nil {
			return t, errors.Join(errStream, err)
		}
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
