package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

type readingKey struct{}

// observed is a shelf that notes how it is read, and a control that notes how it is told.
type observed struct {
	*shelf
	api.Control

	apart []bool
}

func (o *observed) note(ctx context.Context) {
	o.apart = append(o.apart, ctx.Value(readingKey{}) != nil)
}

func (o *observed) Transfer(ctx context.Context, uuid string) (tasks.Transfer, error) {
	o.note(ctx)
	return o.shelf.Transfer(ctx, uuid)
}

func (o *observed) Transfers(ctx context.Context, before int64, limit int) ([]tasks.Transfer, error) {
	o.note(ctx)
	return o.shelf.Transfers(ctx, before, limit)
}

func (o *observed) SearchTransfers(ctx context.Context, q *ledger.TransferQuery) ([]tasks.Transfer, bool, error) {
	o.note(ctx)
	ts, err := o.shelf.Transfers(ctx, q.Before, q.Limit)
	return ts, true, err
}

func (o *observed) Pause(ctx context.Context, _ tasks.Transfer) (bool, error) {
	o.note(ctx)
	return true, nil
}

// Requests that change nothing read apart from those who write; what decides about a write
// does not.
func TestReadingIsApartFromWriting(t *testing.T) {
	t.Parallel()
	store := &observed{shelf: stocked(2)}
	store.transfers[0].State = tasks.StateRunning
	server, err := web.New(web.Options{
		Transfers: store, Control: store,
		Reading: func(ctx context.Context) context.Context { return context.WithValue(ctx, readingKey{}, true) },
	})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, server)
	id := store.transfers[0].UUID
	for _, c := range []struct {
		method, path string
		want         bool
	}{
		{http.MethodGet, "/", true},
		{http.MethodGet, "/transfers/" + id, true},
		{http.MethodHead, "/v1/transfers/" + id, true},
		{http.MethodGet, "/v1/transfers/" + id, true},
		{http.MethodGet, "/v1/transfers", true},
		{http.MethodPost, "/transfers/" + id + "/pause", false},
		{http.MethodPost, "/v1/transfers/" + id + "/pause", false},
	} {
		store.apart = nil
		req := httptest.NewRequest(c.method, "http://127.0.0.1"+c.path, strings.NewReader(""))
		req.Header.Set("Origin", "http://127.0.0.1")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, req)
		if w.Code >= http.StatusBadRequest || len(store.apart) == 0 {
			t.Errorf("%s %s: %d, read %d times: %s", c.method, c.path, w.Code, len(store.apart), w.Body)
		}
		for _, apart := range store.apart {
			if apart != c.want {
				t.Errorf("%s %s reads apart: %v, want %v", c.method, c.path, apart, c.want)
			}
		}
		if req.Pattern == "" {
			t.Errorf("%s %s: the log does not have the route", c.method, c.path)
		}
	}
}
