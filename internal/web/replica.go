package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/api"
)

// Replica lets pages read from a copy of the database.
type Replica interface {
	// Read returns a context that reads from the copy if that is of use now, what is to be
	// said about it, and how far it is behind.
	Read(ctx context.Context) (reading context.Context, notice string, lag time.Duration)
}

const (
	// changedCookie marks a browser that has just changed something, and wants to see it.
	changedCookie = "baler_changed"

	changedTime  = 10 * time.Second // for which it reads the database itself, besides the lag
	noticeHeader = "Baler-Notice"   // says to a page that follows what has changed, as in an address
)

type noticeKey struct{}

// readReplica lets the pages read from the replica, if there is one. The HTTP API reads the
// database itself: who has waited for a transfer must find all of its results.
func readReplica(replica Replica, next http.Handler) http.Handler {
	if replica == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isPage(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		ctx, notice, lag := replica.Read(r.Context())
		if changes(r) {
			http.SetCookie(w, &http.Cookie{ //nolint:gosec // it holds nothing, and plain HTTP works too
				Name: changedCookie, Value: "1", Path: "/", MaxAge: int((changedTime + lag) / time.Second), HttpOnly: true,
				SameSite: http.SameSiteStrictMode,
			})
			next.ServeHTTP(w, r)
			return
		}
		if _, err := r.Cookie(changedCookie); err == nil {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set(noticeHeader, url.PathEscape(notice))
		reading := r.WithContext(context.WithValue(ctx, noticeKey{}, notice))
		defer func() { r.Pattern = reading.Pattern }() // for the access log
		next.ServeHTTP(w, reading)
	})
}

// readApart lets pages, and requests of the HTTP API that change nothing, read by reading.
func readApart(reading func(context.Context) context.Context, next http.Handler) http.Handler {
	if reading == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if changes(r) || !isPage(r.URL.Path) && !strings.HasPrefix(r.URL.Path, api.Root+"/") {
			next.ServeHTTP(w, r)
			return
		}
		apart := r.WithContext(reading(r.Context()))
		defer func() { r.Pattern = apart.Pattern }() // for the access log
		next.ServeHTTP(w, apart)
	})
}

// isPage reports whether a path is that of a page of transfers.
func isPage(path string) bool {
	for _, other := range []string{api.Root + "/", monitorRoot + "/", assetRoot, "/login", "/logout", healthPath, readyPath, metricsPath} {
		if strings.HasPrefix(path, other) {
			return false
		}
	}
	return true
}

// noticeOf is what a page says about where it reads.
func noticeOf(ctx context.Context) string {
	notice, _ := ctx.Value(noticeKey{}).(string) // without a replica there is none
	return notice
}
