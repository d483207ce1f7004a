package bench

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testservers"
)

func TestPageIsMeasuredUntilItIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	requests := 0
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 4 {
			cancel()
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		fmt.Fprint(z, `<link href="/assets/a.css"><script src="/assets/b.js"></script><img src="/assets/a.css"><a href="/other">`)
		testkit.Must(t, z.Close())
	})
	mux.HandleFunc("GET /assets/a.css", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("a", 100)) })
	mux.HandleFunc("GET /assets/b.js", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("b", 20)) })
	server := httptest.NewServer(mux)
	defer server.Close()
	client := newPageClient(server.URL)
	defer client.close()
	var m PageMeasurement
	if err := client.measure(ctx, "/page", 10, &m); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if m.Requests != 2 || m.FirstMS <= 0 || m.MedianMS <= 0 || m.P99MS < m.MedianMS || m.WithAssets != m.Bytes+120 {
		t.Errorf("%+v", m)
	}
}

func TestPageThatFails(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.RedirectHandler("/login", http.StatusSeeOther))
	defer server.Close()
	client := newPageClient(server.URL)
	defer client.close()
	if err := client.measure(t.Context(), "/", 1, new(PageMeasurement)); err == nil || !strings.Contains(err.Error(), "does it ask for a login?") {
		t.Errorf("error %v", err)
	}
	if err := client.measure(t.Context(), "/", 1, new(PageMeasurement)); err == nil {
		t.Error("no error")
	}
}

func TestPagesTargets(t *testing.T) {
	t.Parallel()
	all := []PageMeasurement{
		{Requests: 120, FirstMS: 150, P99MS: 90, WithAssets: 190_000},
		{Requests: 120, FirstMS: 201, P99MS: 80, WithAssets: 90_000},
		{Requests: 120, FirstMS: 5, P99MS: 101, API: true, Busy: true},
		{Requests: 99, P99MS: 1000, API: true}, // too few to say
	}
	all[0].Busy = true
	want := []Target{
		{"target", "first byte of a page, first request, slowest, ms", 200, 201, false},
		{"target", "first byte of a page, 99 %, slowest, ms", 200, 90, true},
		{"target", "first byte of the API while workers are saturated, 99 %, slowest, ms", 100, 101, false},
		{"target", "heaviest page with its assets, kB", 200, 190, true},
	}
	if got := PagesTargets(all); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got := PagesTargets(nil); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestPagesNeedRoomOnTheDisk(t *testing.T) {
	t.Parallel()
	env := &Env{dir: t.TempDir(), mysql: new(testservers.Server)}
	err := env.roomFor(PagesOptions{Files: 1 << 50})
	if err == nil || !strings.Contains(err.Error(), "set TMPDIR to a larger disk") {
		t.Errorf("error %v", err)
	}
	if err := (&Env{dir: env.dir}).roomFor(PagesOptions{Files: 1 << 50}); err != nil {
		t.Errorf("on a given server: %v", err)
	}
}
