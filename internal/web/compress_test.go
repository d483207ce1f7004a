package web_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
)

// fetch sends a request as it is: without net/http, which asks for gzip and decompresses by itself.
func fetch(t *testing.T, method, url string, header ...string) (res *http.Response, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	testkit.Must(t, err)
	for h := range slices.Chunk(header, 2) {
		req.Header.Set(h[0], h[1])
	}
	client := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	res, err = client.RoundTrip(req)
	testkit.Must(t, err)
	defer res.Body.Close()
	var from io.Reader = res.Body
	if res.Header.Get("Content-Encoding") == "gzip" && method != http.MethodHead {
		from, err = gzip.NewReader(res.Body)
		testkit.Must(t, err)
	}
	all, err := io.ReadAll(from)
	testkit.Must(t, err)
	return res, string(all)
}

// Pages, their files and the API are the same compressed and not, and caches keep them apart.
func TestAnswersAreCompressed(t *testing.T) {
	t.Parallel()
	url := serve(t, web.Options{Transfers: stocked(20), Results: hostileResults(3)})
	for _, path := range []string{"/", "/assets/baler.css", "/assets/htmx.min.js", "/v1/openapi.json", "/v1/transfers", "/v1/docs"} {
		plain, want := fetch(t, http.MethodGet, url+path)
		packed, got := fetch(t, http.MethodGet, url+path, "Accept-Encoding", "gzip, deflate, br, zstd")
		if plain.StatusCode != http.StatusOK || plain.Header.Get("Content-Encoding") != "" || packed.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %d, %q and %q", path, plain.StatusCode, plain.Header.Get("Content-Encoding"), packed.Header.Get("Content-Encoding"))
		}
		if got != want || len(want) < 1024 {
			t.Errorf("%s: %d bytes compressed, %d plain", path, len(got), len(want))
		}
		if packed.ContentLength >= int64(len(want)) || packed.Header.Get("Accept-Ranges") != "" {
			t.Errorf("%s: of length %d, ranges %q", path, packed.ContentLength, packed.Header.Get("Accept-Ranges"))
		}
		for _, res := range []*http.Response{plain, packed} {
			if vary := strings.Join(res.Header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Encoding") {
				t.Errorf("%s: Vary: %s", path, vary)
			}
		}
		head, _ := fetch(t, http.MethodHead, url+path, "Accept-Encoding", "gzip")
		if head.StatusCode != http.StatusOK || head.ContentLength >= 0 && head.ContentLength == int64(len(want)) {
			t.Errorf("HEAD %s: %d, of length %d, which a GET does not send", path, head.StatusCode, head.ContentLength)
		}
	}
	if page, _ := fetch(t, http.MethodGet, url+"/", "Accept-Encoding", "gzip"); !strings.Contains(strings.Join(page.Header.Values("Vary"), ", "), "Hx-Request") {
		t.Errorf("a page: Vary: %v", page.Header.Values("Vary"))
	}
}

// A browser that has a file of the pages compressed asks whether it is still the same, and gets no second copy.
func TestACompressedFileIsRevalidated(t *testing.T) {
	t.Parallel()
	url := serve(t, web.Options{Transfers: stocked(1)}) + "/assets/baler.css"
	for _, accept := range []string{"gzip", "identity"} {
		first, _ := fetch(t, http.MethodGet, url, "Accept-Encoding", accept)
		tag := first.Header.Get("ETag")
		again, body := fetch(t, http.MethodGet, url, "Accept-Encoding", accept, "If-None-Match", tag)
		if !strings.HasPrefix(tag, "W/") || again.StatusCode != http.StatusNotModified || body != "" || again.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: tag %q, %d, %d bytes", accept, tag, again.StatusCode, len(body))
		}
	}
	part, body := fetch(t, http.MethodGet, url, "Accept-Encoding", "gzip", "Range", "bytes=0-1999")
	if part.StatusCode != http.StatusPartialContent || len(body) != 2000 || part.Header.Get("Content-Encoding") != "" {
		t.Errorf("a range: %d, %d bytes, %q", part.StatusCode, len(body), part.Header.Get("Content-Encoding"))
	}
}

// What is short, a stream of events, and content that may be compressed already stay as they are.
func TestSomeAnswersStayPlain(t *testing.T) {
	t.Parallel()
	url := serve(t, web.Options{Transfers: stocked(1), Results: hostileResults(1)})
	for _, path := range []string{"/healthz", "/v1/nothing"} {
		if res, _ := fetch(t, http.MethodGet, url+path, "Accept-Encoding", "gzip"); res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed", path)
		}
	}
	for _, c := range []struct {
		media string
		want  string
	}{
		{"text/html; charset=utf-8", "gzip"}, {"text/csv; charset=utf-8", "gzip"}, {"application/x-ndjson", "gzip"},
		{"application/problem+json", "gzip"}, {"application/octet-stream", ""}, {"application/vnd.apache.parquet", ""},
		{"image/jpeg", ""}, {"image/png", ""}, {"application/zip", ""},
	} {
		answer, err := web.Compressed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{c.media}
			_, _ = io.WriteString(w, strings.Repeat("a line of text\n", 1000))
		}))
		testkit.Must(t, err)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.Header.Set("Accept-Encoding", "gzip")
		rec := httptest.NewRecorder()
		answer.ServeHTTP(rec, r)
		if got := rec.Header().Get("Content-Encoding"); got != c.want {
			t.Errorf("%s: %q", c.media, got)
		}
	}
}

// Events reach a client that accepts gzip at once, and parts of a compressed answer as soon as they are flushed.
func TestStreamsAreFlushed(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/v1/transfers/1/events", "/v1/export"} {
		goOn := make(chan struct{})
		answer, err := web.Compressed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = io.WriteString(w, "first\n")
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Errorf("flush: %v", err)
			}
			select {
			case <-goOn:
			case <-r.Context().Done():
				t.Error("the client went away before it had the first part")
			}
			_, _ = io.WriteString(w, "second\n")
		}))
		testkit.Must(t, err)
		srv := httptest.NewServer(web.Recorded(answer))
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+path, http.NoBody)
		testkit.Must(t, err)
		client := &http.Transport{}
		res, err := client.RoundTrip(req) // accepts gzip
		testkit.Must(t, err)
		first := make([]byte, len("first\n"))
		_, err = io.ReadFull(res.Body, first)
		testkit.Must(t, err)
		close(goOn)
		rest, err := io.ReadAll(res.Body)
		testkit.Must(t, err)
		if string(first)+string(rest) != "first\nsecond\n" {
			t.Errorf("%s: %q", path, string(first)+string(rest))
		}
		if packed := res.Uncompressed; packed != (path == "/v1/export") {
			t.Errorf("%s: compressed: %v", path, packed)
		}
		_ = res.Body.Close()
		cancel()
		client.CloseIdleConnections()
		srv.Close()
	}
}

// The token of forms is another text in each page, so that lengths of compressed pages do not tell it.
func TestTheTokenOfFormsIsMasked(t *testing.T) {
	t.Parallel()
	const token = "kq3v-0123456789-secret"
	seen := make(map[string]bool)
	for range 100 {
		masked := web.MaskToken(token)
		if seen[masked] || strings.Contains(masked, token) || string(web.UnmaskToken(masked)) != token {
			t.Fatalf("%s is masked as %s, which is %s", token, masked, web.UnmaskToken(masked))
		}
		seen[masked] = true
	}
	for _, wrong := range []string{"", token, "A", "AAA", "é", strings.Repeat("A", 1<<16)} {
		if string(web.UnmaskToken(wrong)) == token {
			t.Errorf("%.20q is taken for the token", wrong)
		}
	}
}
