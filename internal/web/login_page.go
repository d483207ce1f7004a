package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/audit"
)

// loginPage is where people log in with a password, or at an OpenID provider.
type loginPage struct {
	page

	audit *auditor
}

type loginView struct {
	layout
	Name    string
	Next    string
	Problem string
	OpenID  string // the name of the provider; empty: none
}

type noticeView struct {
	layout
	Heading, Text string
}

func mountLogin(mux *http.ServeMux, opts *Options) error {
	if opts.Gate == nil || !opts.LoginPage {
		return nil
	}
	p, err := newPage(opts, "login.html", "")
	if err != nil {
		return err
	}
	l := &loginPage{p, newAuditor(opts)}
	mux.HandleFunc("GET /login", l.show)
	mux.HandleFunc("POST /login", l.login)
	mux.HandleFunc("POST /logout", l.logout)
	if opts.OpenID != nil {
		mux.HandleFunc("GET /login/openid", l.beginOpenID)
		mux.HandleFunc("GET /login/openid/callback", l.endOpenID)
	}
	return nil
}

func (l *loginPage) view(r *http.Request, next string) loginView {
	v := loginView{layout: l.layoutFor(r), Next: localPath(next)}
	if l.opts.OpenID != nil {
		v.OpenID = l.opts.OpenID.Name()
	}
	return v
}

func (l *loginPage) show(w http.ResponseWriter, r *http.Request) {
	next := r.URL.Query().Get("next")
	if accounts.From(r.Context()).Session != nil {
		http.Redirect(w, r, localPath(next), http.StatusSeeOther) //nolint:gosec // a path of this server
		return
	}
	l.send(w, r, http.StatusOK, "layout", l.view(r, next))
}

// login checks a name and a password. The password appears in no log and no answer.
func (l *loginPage) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	name, next := r.PostFormValue("name"), r.PostFormValue("next")
	secret, err := l.opts.Gate.Login(r.Context(), name, r.PostFormValue("password"), networkOf(r))
	if err != nil {
		l.fail(w, r, name, next, err)
		return
	}
	l.begin(w, r, strings.ToLower(strings.TrimSpace(name)), secret, next)
}

// begin sets the cookie of a new session.
func (l *loginPage) begin(w http.ResponseWriter, r *http.Request, name, secret, next string) {
	l.note(r, name, audit.Done, "")
	l.opts.setCookie(w, r, sessionCookie, secret, l.opts.Gate.Life())
	http.Redirect(w, r, localPath(next), http.StatusSeeOther)
}

func (l *loginPage) fail(w http.ResponseWriter, r *http.Request, name, next string, err error) {
	view := l.view(r, next)
	view.Name = visible(name)
	status := http.StatusUnauthorized
	wait, waits := errors.AsType[*accounts.WaitError](err)
	switch {
	case waits:
		status = http.StatusTooManyRequests
		seconds := strconv.Itoa(int(wait.Wait/time.Second) + 1)
		w.Header().Set("Retry-After", seconds)
		view.Problem = "Too many tries. Wait " + seconds + " seconds, and try again."
	case errors.Is(err, accounts.ErrUnknown):
		view.Problem = deniedText
		l.note(r, "somebody", audit.Refused, "no user has the name")
	case errors.Is(err, accounts.ErrDenied):
		view.Problem = deniedText
		l.note(r, strings.ToLower(strings.TrimSpace(name)), audit.Refused, "wrong password")
	case errors.Is(err, accounts.ErrBusy):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
		view.Problem = "Too many people log in at the moment. Try again in a few seconds."
	default:
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
		view.Problem = "The database, which has the accounts, does not answer. Try again in a moment."
		l.opts.Log.ErrorContext(r.Context(), "log in", "error", err)
	}
	l.send(w, r, status, "layout", view)
}

// deniedText is the same for a wrong name and a wrong password.
const deniedText = "The name or the password is wrong."

// note writes the audit log.
func (l *loginPage) note(r *http.Request, name string, result audit.Status, detail string) {
	e := entryOf(r, visible(name), "log in", result)
	e.Detail = detail
	l.audit.note(r, e)
}

func (l *loginPage) logout(w http.ResponseWriter, r *http.Request) {
	if err := l.opts.Gate.Logout(r.Context(), accounts.From(r.Context())); err != nil {
		l.opts.Log.ErrorContext(r.Context(), "log out", "error", err)
		l.opts.notices.send(w, r, http.StatusServiceUnavailable, "layout", noticeView{
			l.layoutFor(r), "Not logged out", "The database does not answer, and this login is still valid. Try again in a moment.",
		})
		return
	}
	l.opts.setCookie(w, r, sessionCookie, "", 0)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// localPath returns a path of this server to go to after the login; "/" instead of
// anything else.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(u.Path, "/login") {
		return "/"
	}
	return next
}
