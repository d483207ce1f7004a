package web

import (
	"net/http"
	"strings"
)

// notFound answers what no operation below apiRoot matches: 405 when the path
// exists for other methods, else 404, both as problem documents. The mux would
// tell the two apart itself, but in plain text.
func notFound(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if allowed := allowedMethods(mux, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			writeProblem(w, problem(http.StatusMethodNotAllowed, "This address does not take "+r.Method+" requests."))
			return
		}
		writeProblem(w, problem(http.StatusNotFound, "There is nothing at this address; "+apiRoot+"/openapi.json lists what there is."))
	})
}

// allowedMethods asks the mux which methods have a route of their own for the path.
func allowedMethods(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(probe); pattern != apiRoot+"/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}
