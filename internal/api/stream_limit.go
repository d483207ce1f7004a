package api

import (
	"net/http"
	"strings"
)

// LimitStreams answers requests that may last for long, beyond so many at a time, with 503
// and the time to come back: they must leave connections for probes and for other clients.
func LimitStreams(atOnce int, next http.Handler) http.Handler {
	slots := make(chan struct{}, max(1, atOnce))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !mayLast(r) {
			next.ServeHTTP(w, r)
			return
		}
		select {
		case slots <- struct{}{}:
		default:
			w.Header().Set("Retry-After", "5")
			w.Header().Set("Connection", "close") // the body of the stream is not read
			WriteProblem(w, problem(http.StatusServiceUnavailable,
				"Too many clients watch or export transfers, or send files, at the moment. Come back in a few seconds."))
			return
		}
		defer func() { <-slots }()
		next.ServeHTTP(w, r)
	})
}

// mayLast reports whether a request watches or exports a transfer, or sends files.
func mayLast(r *http.Request) bool {
	events := r.Method == http.MethodGet && (strings.HasSuffix(r.URL.Path, "/events") || strings.HasSuffix(r.URL.Path, "/export"))
	files := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/files")
	return events || files
}
