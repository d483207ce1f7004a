package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestClientsAreLimitedOneByOne(t *testing.T) {
	t.Parallel()
	handler := Limit(5, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	ask := func(client string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/v1/transfers", nil)
		r.RemoteAddr = client
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for i := range 10 {
		if w := ask("192.0.2.1:99"); w.Code != http.StatusNoContent {
			t.Fatalf("request %d of a burst of 10: %d", i+1, w.Code)
		}
	}
	if w := ask("192.0.2.1:98"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" {
		t.Errorf("beyond the burst: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	if w := ask("192.0.2.2:99"); w.Code != http.StatusNoContent {
		t.Errorf("another client: %d", w.Code)
	}
}

func TestIdleClientsAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	l := newLimiter(1)
	for _, client := range []string{"a", "b"} {
		if wait := l.wait(client, now); wait != 0 {
			t.Errorf("%s waits %v", client, wait)
		}
	}
	l.wait("c", now.Add(2*sweepClients))
	if len(l.clients) != 1 {
		t.Errorf("%d clients are remembered", len(l.clients))
	}
}
