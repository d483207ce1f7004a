package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/openid"
)

// OpenID is a provider at which people log in.
type OpenID interface {
	// Name is the provider's name for people.
	Name() string

	// Begin returns a new flow, and where to send the browser.
	Begin(ctx context.Context) (f openid.Flow, address string, err error)

	// End returns who has logged in; the errors openid.ErrRefused and openid.ErrNoRole are
	// theirs, others are the provider's.
	End(ctx context.Context, f openid.Flow, state, code string) (name string, role accounts.Role, err error)
}

// openidLife is how long a person may take to log in at the provider.
const openidLife = 10 * time.Minute

// openidFlow is a login that has begun, in a cookie of the browser: the server keeps
// nothing, and another one may end it.
type openidFlow struct {
	openid.Flow `json:"flow"`

	Next string `json:"next"`
}

func (l *loginPage) beginOpenID(w http.ResponseWriter, r *http.Request) {
	flow, address, err := l.opts.OpenID.Begin(r.Context())
	if err != nil {
		l.failOpenID(w, r, "", err)
		return
	}
	text, err := json.Marshal(openidFlow{flow, localPath(r.URL.Query().Get("next"))})
	if err != nil {
		l.failOpenID(w, r, "", err)
		return
	}
	l.opts.setCookie(w, r, openidCookie, base64.RawURLEncoding.EncodeToString(text), openidLife)
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (l *loginPage) endOpenID(w http.ResponseWriter, r *http.Request) {
	var flow openidFlow
	if c, err := r.Cookie(l.opts.cookieName(r, openidCookie)); err == nil {
		if text, err := base64.RawURLEncoding.DecodeString(c.Value); err == nil {
			_ = json.Unmarshal(text, &flow) // an invalid one has no state, which End refuses
		}
	}
	l.opts.setCookie(w, r, openidCookie, "", 0) // a flow is used once
	q := r.URL.Query()
	name, role, err := l.opts.OpenID.End(r.Context(), flow.Flow, q.Get("state"), q.Get("code"))
	if err != nil {
		l.failOpenID(w, r, name, err)
		return
	}
	name = "openid " + name // no user of the database has a space in the name
	secret, err := l.opts.Gate.Begin(r.Context(), name, role)
	if err != nil {
		l.failOpenID(w, r, name, err)
		return
	}
	l.begin(w, r, name, secret, flow.Next)
}

func (l *loginPage) failOpenID(w http.ResponseWriter, r *http.Request, name string, err error) {
	view := l.view(r, "/")
	status := http.StatusForbidden
	switch {
	case errors.Is(err, openid.ErrNoRole):
		view.Problem = "You have logged in, but this server gives you no role. Ask whoever runs it."
		l.note(r, "openid "+name, audit.Refused, "the settings give no role")
	case errors.Is(err, openid.ErrRefused):
		view.Problem = "The login at " + view.OpenID + " is not valid. Try again."
		l.opts.Log.WarnContext(r.Context(), "login at the OpenID provider refused", "error", err)
		l.note(r, "somebody", audit.Refused, "the OpenID provider's answer is not valid")
	default:
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
		view.Problem = view.OpenID + " or the database does not answer. Try again in a moment."
		l.opts.Log.ErrorContext(r.Context(), "log in at the OpenID provider", "error", err)
	}
	l.send(w, r, status, "layout", view)
}
