package web

import (
	"net/http"
	"strings"

	"github.com/balerhq/baler/internal/api"
)

// maxBody limits the bodies of requests to the monitor, in bytes. The API's
// operations have limits of their own.
const maxBody = 1 << 20

// Content security policies. The monitor's page has its start-up script and
// styles inline. It also names a font on another host, which the policy blocks.
const (
	ownPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	monitorPolicy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " +
		"img-src 'self' data:; font-src 'self' data:; object-src 'none'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

// secure sets the security headers for browsers, and refuses cross-origin requests
// that change something.
func secure(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		api.WriteProblem(w, api.Problem(http.StatusForbidden, "Requests from pages of other sites cannot change anything here."))
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

// caching forbids caches to store pages with live numbers. Browsers revalidate style
// sheets by their ETag; the monitor's static files have a hash in their names.
func caching(path string) string {
	switch {
	case strings.HasPrefix(path, assetRoot):
		return "no-cache"
	case strings.HasPrefix(path, monitorRoot+"/static/"):
		return "public, max-age=86400"
	}
	return "no-store"
}
