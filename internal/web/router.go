package web

import (
	"net/http"
	"strings"

	"github.com/balerhq/baler/internal/api"
)

// router finds the route of a request before it is served.
type router struct {
	mux        *http.ServeMux
	operations *http.ServeMux // of the API; nil when there is none
}

// patternOf is the pattern of a request's route; empty when it has none.
func (t *router) patternOf(r *http.Request) string {
	_, pattern := t.mux.Handler(r)
	if pattern == api.Root+"/" && t.operations != nil {
		_, pattern = t.operations.Handler(r)
	}
	if strings.HasPrefix(pattern, "GET "+assetRoot) {
		return "GET " + assetRoot
	}
	return pattern
}
