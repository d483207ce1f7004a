package api

import (
	"net/http"
	"strings"
)

// notFound answers requests below Root that match no operation: 405 when the
// path exists for other methods, else 404, both as problem documents. The mux
// itself would answer in plain text.
func notFound(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if allowed := AllowedMethods(mux, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			WriteProblem(w, problem(http.StatusMethodNotAllowed, "This address does not support "+r.Method+" requests."))
			return
		}
		WriteProblem(w, problem(http.StatusNotFound, "Nothing exists at this address. "+Root+"/openapi.json lists all operations."))
	})
}

// AllowedMethods lists the methods that have a route for the path of a request.
func AllowedMethods(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(probe); pattern != Root+"/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}
