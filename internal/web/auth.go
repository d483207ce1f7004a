package web

import (
	"net/http"
	"strings"
)

// withoutLogin reports whether a path is for probes. Probes have no token and may not
// know the server's name. They report only whether the server and its services answer.
func withoutLogin(path string) bool { return path == healthPath || path == readyPath }

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
