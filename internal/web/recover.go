package web

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// recoverPanics answers a panic with a problem document. When the answer had
// already begun, the connection is cut instead: half an answer must not look
// whole.
func recoverPanics(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		defer func() { //nolint:contextcheck // the request's own, once it has panicked
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
			writeProblem(w, problem(http.StatusInternalServerError, "The server met a fault of its own; its log says which."))
		}()
		next.ServeHTTP(rec, r)
	})
}
