package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// known finds transfers by what people call them.
type known struct {
	found

	of map[string]tasks.Transfer
}

func (k *known) FindTransfer(_ context.Context, ref string) (tasks.Transfer, error) {
	t, ok := k.of[ref]
	switch {
	case ref == "0189":
		return t, &api.RequestError{Err: errSeveral, Conflict: true}
	case !ok:
		return t, &api.RequestError{Err: tasks.ErrTransferNotFound, Missing: true}
	}
	return t, nil
}

type constantError string

func (e constantError) Error() string { return string(e) }

const errSeveral = constantError("it fits several transfers")

// Addresses take a transfer's number, the beginning of its id, and for pages the newest one.
func TestShortIDs(t *testing.T) {
	t.Parallel()
	s := stocked(3)
	one := s.transfers[1]
	find := &known{hostileResults(1), map[string]tasks.Transfer{"2": one, "0189000": one, "latest": one}}
	url := serve(t, web.Options{Transfers: s, Results: find, Control: &controls{make(map[string]int)}})
	for path, want := range map[string]string{
		"/transfers/2":                       "/transfers/" + one.UUID,
		"/transfers/latest":                  "/transfers/" + one.UUID,
		"/transfers/0189000/results?step=a&": "/transfers/" + one.UUID + "/results?step=a&",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, http.NoBody)
		testkit.Must(t, err)
		res, err := http.DefaultTransport.RoundTrip(req)
		testkit.Must(t, err)
		testkit.Must(t, res.Body.Close())
		if to := res.Header.Get("Location"); res.StatusCode != http.StatusFound || to != want {
			t.Errorf("%s leads to %q with %d, want %q", path, to, res.StatusCode, want)
		}
	}
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/transfers/7":              {http.StatusNotFound, "There is no such transfer"},
		"/transfers/0189":           {http.StatusConflict, "fits several"},
		"/transfers/nonsense":       {http.StatusNotFound, "There is no such transfer"},
		"/transfers/" + one.UUID:    {http.StatusOK, one.UUID},
		"/v1/transfers/2":           {http.StatusOK, one.UUID},
		"/v1/transfers/0189000":     {http.StatusOK, one.UUID},
		"/v1/transfers/2/results":   {http.StatusOK, `"results"`},
		"/v1/transfers/7":           {http.StatusNotFound, "problem"},
		"/v1/transfers/0189":        {http.StatusConflict, "fits several"},
		"/v1/transfers/latest":      {http.StatusUnprocessableEntity, "the beginning of one, or a number"},
		"/v1/transfers/2%20or%201":  {http.StatusUnprocessableEntity, "the beginning of one, or a number"},
		"/v1/transfers/" + one.UUID: {http.StatusOK, one.UUID},
	} {
		if status, header, body := get(t, url+path); status != want.status || !strings.Contains(header.Get("Content-Type")+body, want.text) {
			t.Errorf("%s: %d, want %d with %q:\n%s", path, status, want.status, want.text, body)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
