package web

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/balerhq/baler/internal/api"
)

// recoverPanics answers a panic with a problem document. When the response has
// already begun it closes the connection instead, so that a partial response does
// not look complete.
func recoverPanics(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &responseRecorder{ResponseWriter: w}
		defer func() { //nolint:contextcheck // the context is that of the request
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			log.ErrorContext(r.Context(), "http handler panicked",
				"method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			if rec.status != 0 {
				panic(http.ErrAbortHandler)
			}
			api.WriteProblem(w, api.Problem(http.StatusInternalServerError, "An internal error occurred. The server's log has the details."))
		}()
		next.ServeHTTP(rec, r)
	})
}
