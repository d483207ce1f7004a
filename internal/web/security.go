package web

import (
	"net/http"
	"strings"
)

// maxBody bounds the body of a request that changes something through the
// monitor; the API's operations bound theirs one by one.
const maxBody = 1 << 20

// Content security policies. The monitor's page carries its start-up script and
// its styles inline and names a font on another host, which it does without.
const (
	ownPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	monitorPolicy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " +
		"img-src 'self' data:; font-src 'self' data:; object-src 'none'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

// secure sets the headers that keep browsers careful, and refuses requests that
// a page of another site makes a browser send.
func secure(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problem(http.StatusForbidden, "A page of another site may not change anything here."))
	}))
	guarded := crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Content-Security-Policy", contentPolicy(r.URL.Path))
		h.Set("Cache-Control", caching(r.URL.Path))
		guarded.ServeHTTP(w, r)
	})
}

func contentPolicy(path string) string {
	if strings.HasPrefix(path, monitorRoot+"/") {
		return monitorPolicy
	}
	return ownPolicy
}

// caching keeps live numbers out of caches. Style sheets are checked by their
// tag each time; the monitor's static files carry a hash in their names.
func caching(path string) string {
	switch {
	case strings.HasPrefix(path, assetRoot):
		return "no-cache"
	case strings.HasPrefix(path, monitorRoot+"/static/"):
		return "public, max-age=86400"
	}
	return "no-store"
}
