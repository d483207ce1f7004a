package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/web"
)

// ask is one request to a server, without a network.
func ask(t *testing.T, o web.Options, path string, change func(r *http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	o.Transfers = stocked(1)
	s, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Host = "127.0.0.1:8080"
	change(r)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestNothingIsReadWithoutTheToken(t *testing.T) {
	o := web.Options{Token: "open-sesame"}
	for _, path := range []string{"/", "/v1/transfers", "/v1/docs", "/v1/openapi.json", "/metrics", "/assets/baler.css", "/nothing", "//"} {
		for name, change := range map[string]func(r *http.Request){
			"nothing":       func(*http.Request) {},
			"a prefix":      func(r *http.Request) { r.Header.Set("Authorization", "Bearer open-sesam") },
			"more":          func(r *http.Request) { r.Header.Set("Authorization", "Bearer open-sesame2") },
			"empty":         func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") },
			"as the user":   func(r *http.Request) { r.SetBasicAuth("open-sesame", "") },
			"in the query":  func(r *http.Request) { r.URL.RawQuery = "token=open-sesame" },
			"other schemes": func(r *http.Request) { r.Header.Set("Authorization", "Digest open-sesame") },
		} {
			w := ask(t, o, path, change)
			if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "needs its token") || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %s: %d %s", path, name, w.Code, w.Body)
			}
		}
	}
	for name, change := range map[string]func(r *http.Request){
		"bearer":   func(r *http.Request) { r.Header.Set("Authorization", "Bearer open-sesame") },
		"BEARER":   func(r *http.Request) { r.Header.Set("Authorization", "BEARER open-sesame") },
		"password": func(r *http.Request) { r.SetBasicAuth("anyone", "open-sesame") },
	} {
		if w := ask(t, o, "/v1/transfers", change); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if w := ask(t, o, path, func(*http.Request) {}); w.Code != http.StatusOK {
			t.Errorf("%s is for probes, which have no token: %d %s", path, w.Code, w.Body)
		}
	}
}

// A page of another site whose name resolves to this server must not read it.
func TestOtherNamesAreRefused(t *testing.T) {
	o := web.Options{Hosts: []string{"Baler.Example.ORG"}}
	for host, want := range map[string]int{
		"127.0.0.1:8080": http.StatusOK, "localhost": http.StatusOK, "LOCALHOST:80": http.StatusOK, "a.localhost:80": http.StatusOK,
		"[::1]:8080": http.StatusOK, "[::1]": http.StatusOK, "10.1.2.3:8080": http.StatusOK,
		"baler.example.org:8080": http.StatusOK, "baler.example.org.": http.StatusOK,
		"evil.example": http.StatusMisdirectedRequest, "evil.example:8080": http.StatusMisdirectedRequest,
		"127.0.0.1.evil.example": http.StatusMisdirectedRequest, "localhost.evil.example": http.StatusMisdirectedRequest,
		"evilbaler.example.org": http.StatusMisdirectedRequest, "x.baler.example.org": http.StatusMisdirectedRequest,
		"": http.StatusMisdirectedRequest, "127.1": http.StatusMisdirectedRequest, ":8080": http.StatusMisdirectedRequest,
	} {
		for _, path := range []string{"/", "/v1/transfers", "/metrics"} {
			w := ask(t, o, path, func(r *http.Request) { r.Host = host })
			if w.Code != want {
				t.Errorf("%s as %q: %d, want %d", path, host, w.Code, want)
			}
			if w.Code != http.StatusOK && !strings.Contains(w.Body.String(), "BALER_HTTP_HOSTS") {
				t.Errorf("%s as %q does not say what to do: %s", path, host, w.Body)
			}
		}
	}
}
