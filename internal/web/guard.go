package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/api"
)

// guard finds out who has sent a request, and lets through what they may do.
type guard struct {
	opts   *Options
	rights map[string]right
	routes *router
	audit  *auditor
}

func newGuard(opts *Options, routes *router) *guard {
	return &guard{opts: opts, rights: rights(), routes: routes, audit: newAuditor(opts)}
}

// errAnonymous says that a request does not say who has sent it.
var errAnonymous = errors.New("nobody has logged in")

// wrap lets a request through with the identity of its sender in its context.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if withoutLogin(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		pattern := g.routes.patternOf(r)
		needs := g.rightTo(r, pattern)
		who, err := g.identify(r)
		open := needs.role == accounts.Nobody && g.opts.loginPage(r.Context())
		switch {
		case errors.Is(err, errAnonymous) || errors.Is(err, accounts.ErrDenied):
			if !open {
				g.challenge(w, r, err)
				return
			}
		case err != nil:
			g.opts.Log.ErrorContext(r.Context(), "find out who has sent a request", "error", err)
			w.Header().Set("Retry-After", "5")
			g.refuse(w, r, http.StatusServiceUnavailable, "The database, which has the accounts, does not answer. Come back in a few seconds.")
			return
		case !who.Role.Allows(needs.role):
			g.audit.refused(r, who, needs)
			g.refuse(w, r, http.StatusForbidden, "This needs the role of "+article(needs.role)+"; "+who.Name+" is "+article(who.Role)+".")
			return
		}
		if changes(r) && who.Session != nil && !fromOwnPage(w, r, who) {
			g.audit.refused(r, who, needs)
			g.refuse(w, r, http.StatusForbidden, "This form does not belong to the present login. Go back, load the page again and repeat it.")
			return
		}
		known := r.WithContext(accounts.With(r.Context(), who))
		defer func() { r.Pattern = known.Pattern }() // for the access log
		if changes(r) && needs.does != "" {
			g.audit.change(w, known, who, needs, next)
			return
		}
		if lasts(r) {
			watched, stop := g.whileAllowed(known, needs)
			defer stop()
			next.ServeHTTP(w, watched)
			known.Pattern = watched.Pattern
			return
		}
		next.ServeHTTP(w, known)
	})
}

func article(r accounts.Role) string {
	if r == accounts.Operator {
		return "an " + string(r)
	}
	return "a " + string(r)
}

// identify finds out who has sent a request: by its token, as a bearer token or as the
// password of any user, or else by the cookie of its session.
func (g *guard) identify(r *http.Request) (accounts.Identity, error) {
	if !g.opts.asks(r.Context()) {
		return accounts.Identity{Name: localName, Role: g.opts.Unasked}, nil
	}
	if token := tokenOf(r); token != "" {
		return g.opts.Gate.ByToken(r.Context(), token)
	}
	for _, c := range r.Cookies() {
		if c.Name == g.opts.cookieName(r, sessionCookie) {
			return g.opts.Gate.BySession(r.Context(), c.Value)
		}
	}
	return accounts.Identity{}, errAnonymous
}

// localName is who sends requests to a server that asks nobody for a login.
const localName = "somebody without a login"

// challenge asks for a login.
func (g *guard) challenge(w http.ResponseWriter, r *http.Request, err error) {
	loadAgain(w, r)
	if g.opts.loginPage(r.Context()) {
		if wantsPage(r) {
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		w.Header().Add("WWW-Authenticate", `Bearer realm="Baler"`)
		text := "Log in, or send a token: as Authorization: Bearer TOKEN, or as the password of any user."
		if errors.Is(err, accounts.ErrDenied) {
			text = "The token or the login is not valid, has expired or was revoked. " + text
		}
		api.WriteProblem(w, api.Problem(http.StatusUnauthorized, text))
		return
	}
	w.Header().Add("WWW-Authenticate", `Basic realm="Baler", charset="UTF-8"`)
	w.Header().Add("WWW-Authenticate", `Bearer realm="Baler"`)
	api.WriteProblem(w, api.Problem(http.StatusUnauthorized,
		"This server needs its token: as Authorization: Bearer TOKEN, or as the password of any user."))
}

// loadAgain lets htmx load the whole page again, in place of keeping what was so before the
// login has ended.
func loadAgain(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(partHeader) == "true" {
		w.Header().Set("Hx-Refresh", "true")
	}
}

// refuse answers people with a page, and programs with a problem document.
func (g *guard) refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	if status == http.StatusForbidden {
		loadAgain(w, r)
	}
	if !asksForPage(r) {
		api.WriteProblem(w, api.Problem(status, text))
		return
	}
	g.opts.notices.send(w, r, status, "layout", noticeView{layout: layoutFor(g.opts, r, ""), Heading: http.StatusText(status), Text: text})
}

// wantsPage reports whether a person looks at a page, which a redirect may replace.
func wantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && asksForPage(r)
}

// asksForPage reports whether the answer is for a person.
func asksForPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && !strings.HasPrefix(r.URL.Path, api.Root+"/")
}
