package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/balerhq/baler/internal/api"
)

// withoutLogin reports whether a path is for probes. Probes have no token and may not
// know the server's name. They report only whether the server and its services answer.
func withoutLogin(path string) bool { return path == "/healthz" || path == "/readyz" }

// authenticate lets requests through that carry the token: as a bearer token, as
// programs do, or as the password of any user, which browsers ask people for. An
// empty token lets all requests through.
func authenticate(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Hashes have one length, so the time of the comparison reveals nothing.
		got := sha256.Sum256([]byte(tokenOf(r)))
		if withoutLogin(r.URL.Path) || subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("WWW-Authenticate", `Basic realm="Baler", charset="UTF-8"`)
		w.Header().Add("WWW-Authenticate", `Bearer realm="Baler"`)
		api.WriteProblem(w, api.Problem(http.StatusUnauthorized,
			"This server needs its token: as Authorization: Bearer TOKEN, or as the password of any user."))
	})
}

// tokenOf is the token that a request carries; empty when it carries none.
func tokenOf(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}
