package api

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/balerhq/baler/tasks"
)

const (
	eventInterval = time.Second      // between two looks at the transfer
	keepAlive     = 15 * time.Second // between two writes, so that proxies keep the connection
	eventTimeout  = 10 * time.Second // to write an event: a slower reader is disconnected
	eventRetry    = 3 * time.Second  // after which clients connect again
)

func (a *api) registerEvents(h huma.API) {
	op := huma.Operation{
		OperationID: "watch-transfer",
		Method:      http.MethodGet,
		Path:        "/transfers/{id}/events",
		Tags:        []string{tagTransfers},
		Summary:     "Watch a transfer",
		Description: "Server-sent events: `summary` with the transfer's summary, at once and whenever it has changed, at most " +
			"once a second, and `end` with the last summary when the transfer has ended; then the stream ends. An event replaces " +
			"those before. A client that reconnects with Last-Event-ID gets no summary that it has had; `end` comes again.",
		Responses: map[string]*huma.Response{"200": {
			Description: "A stream of server-sent events",
			Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}},
		Errors: []int{http.StatusNotFound, http.StatusGone},
	}
	huma.Register(h, op, a.watch)
}

type watchInput struct {
	TransferInput

	LastEventID string `header:"Last-Event-ID" maxLength:"32" doc:"The id of the last event that the client has."`
}

//nolint:contextcheck // huma hands the context of the request to the body
func (a *api) watch(ctx context.Context, in *watchInput) (*huma.StreamResponse, error) {
	t, err := a.findBy(ctx, in.ID, a.watched.fresh)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		hctx.SetHeader("Content-Type", "text/event-stream")
		hctx.SetHeader("X-Accel-Buffering", "no") // nginx would hold events back
		if r, _ := humago.Unwrap(hctx); r.Method == http.MethodHead {
			return // there is no body to wait for
		}
		w := newEventWriter(hctx.BodyWriter())
		a.sendEvents(hctx.Context(), w, &t, in.LastEventID)
	}}, nil
}

// sendEvents sends the summaries of a transfer until it has ended, the client is gone or the
// server stops.
func (a *api) sendEvents(ctx context.Context, w *eventWriter, t *tasks.Transfer, had string) {
	if w.retry(eventRetry) != nil {
		return
	}
	tick := time.NewTicker(eventInterval)
	defer tick.Stop()
	for {
		summary := a.body(t)
		id := eventID(summary)
		switch ended := t.State.Ended(); {
		case ended:
			_ = w.event("end", id, &summary) // an error means that the client has disconnected
			return
		case id != had:
			if w.event("summary", id, &summary) != nil {
				return
			}
			had = id
		case w.alive() != nil:
			return
		}
		select {
		case <-tick.C:
		case <-a.Stopping: // the client connects again, to another server or to the next one
			return
		case <-ctx.Done():
			return
		}
		now, err := a.watched.transfer(ctx, t.UUID)
		if err != nil {
			// The client connects again, and gets the error as the answer.
			a.Log.DebugContext(ctx, "watching a transfer ended", "transfer", t.UUID, "error", err)
			return
		}
		*t = now
	}
}

// eventID is the same for summaries that differ in nothing but the time.
func eventID(same transferBody) string {
	same.Seconds, same.FilesPerSecond = 0, 0
	text, err := json.Marshal(&same)
	if err != nil {
		return "" // texts and numbers
	}
	hash := fnv.New64a()
	_, _ = hash.Write(text) // a hash never fails
	return strconv.FormatUint(hash.Sum64(), 36)
}

// eventWriter writes server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type eventWriter struct {
	w       io.Writer
	control *http.ResponseController
	last    time.Time // of the last write
}

func newEventWriter(w io.Writer) *eventWriter {
	e := &eventWriter{w: w}
	if rw, ok := w.(http.ResponseWriter); ok {
		e.control = http.NewResponseController(rw)
	}
	return e
}

func (e *eventWriter) event(name, id string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return e.write(fmt.Sprintf("event: %s\nid: %s\ndata: %s\n\n", name, id, text))
}

func (e *eventWriter) retry(after time.Duration) error {
	return e.write(fmt.Sprintf("retry: %d\n\n", after.Milliseconds()))
}

// alive writes a comment when nothing else was written for a while.
func (e *eventWriter) alive() error {
	if time.Since(e.last) < keepAlive {
		return nil
	}
	return e.write(": \n\n")
}

func (e *eventWriter) write(text string) error {
	e.last = time.Now()
	if e.control != nil {
		if err := e.control.SetWriteDeadline(e.last.Add(eventTimeout)); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(e.w, text); err != nil {
		return err
	}
	if e.control != nil {
		return e.control.Flush()
	}
	return nil
}
