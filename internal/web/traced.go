package web

import (
	"net/http"
	"strings"

	"github.com/balerhq/baler/internal/tracing"
)

// traced makes a span of each request that people or programs make about transfers. It continues
// the trace of a traceparent header. Probes, files of the pages and streams have no spans.
func traced(t *tracing.Tracer, next http.Handler) http.Handler {
	if !t.IsOn() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if untraced(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		ctx, span := t.Serve(tracing.Continue(r.Context(), r.Header.Get("Traceparent")), r.Method, tracing.Attributes{
			"http.request.method": r.Method,
		})
		r = r.WithContext(ctx)
		rec := &responseRecorder{ResponseWriter: w}
		// Deferred, so that it also runs for an aborted request.
		defer func() {
			status := rec.status
			if status == 0 {
				status = http.StatusOK
			}
			route := routeOf(r)
			span.Rename(route)
			span.Set(tracing.Attributes{"http.route": route, "http.response.status_code": status})
			why := ""
			if status >= http.StatusInternalServerError {
				why = http.StatusText(status)
			}
			span.End(why)
		}()
		next.ServeHTTP(rec, r)
	})
}

func untraced(path string) bool {
	switch path {
	case healthPath, readyPath, metricsPath:
		return true
	}
	return strings.HasPrefix(path, monitorRoot+"/") || strings.HasPrefix(path, assetRoot) || strings.HasSuffix(path, "/events")
}
