package web_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/web"
)

// Until there are accounts, everybody reads. From then on, the server asks for a login.
func TestAServerNoticesTheFirstAccount(t *testing.T) {
	t.Parallel()
	var some bool
	var away error
	for _, open := range []bool{true, false} { // false: it has a token, and people cannot log in yet
		some, away = false, nil
		d := newDesk(t, func(o *web.Options) {
			look := func(context.Context) (bool, error) { return some, away }
			o.Accounts = accounts.NewPresence(false, look, o.Now, slog.New(slog.DiscardHandler))
			o.Open, o.Unasked = open, accounts.Viewer
			o.Control = everything{}
		})
		cancel := "/v1/transfers/" + stocked(1).transfers[0].UUID
		page := func(r *http.Request) { r.Header.Set("Accept", "text/html") }
		expect := func(what string, path string, method string, change func(*http.Request), want int) {
			t.Helper()
			if w := d.ask(method, path, "", change); w.Code != want {
				t.Errorf("open %t, %s: %s %s answers %d, want %d: %.200s", open, what, method, path, w.Code, want, w.Body)
			}
		}
		look := func() { d.clock.Advance(2 * time.Second) }
		read, change := http.StatusOK, http.StatusForbidden
		if !open {
			read, change = http.StatusUnauthorized, http.StatusUnauthorized
		}
		expect("without accounts", "/", http.MethodGet, page, read)
		expect("without accounts", cancel, http.MethodDelete, nil, change)
		look()
		away = errors.New("the database is away")
		expect("during an outage", "/", http.MethodGet, page, read)
		look()
		some, away = true, nil
		expect("with accounts", "/", http.MethodGet, page, http.StatusSeeOther)
		expect("with accounts", "/v1/transfers", http.MethodGet, nil, http.StatusUnauthorized)
		expect("with accounts", cancel, http.MethodDelete, nil, http.StatusUnauthorized)
		expect("a viewer", cancel, http.MethodDelete, bearer(d.tokens[accounts.Viewer]), http.StatusForbidden)
		expect("a viewer", "/", http.MethodGet, bearer(d.tokens[accounts.Viewer]), http.StatusOK)
		login := d.ask(http.MethodPost, "/login", url.Values{"name": {"viewer"}, "password": {deskPassword}}.Encode(), nil)
		if login.Code != http.StatusSeeOther || len(login.Result().Cookies()) == 0 {
			t.Errorf("the login answers %d", login.Code)
		}
		look()
		some = false
		expect("after they were deleted", "/", http.MethodGet, page, http.StatusSeeOther)
		expect("after they were deleted", "/v1/transfers", http.MethodGet, nil, http.StatusUnauthorized)
	}
}
