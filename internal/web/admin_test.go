package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
)

// admin starts the admin server of a worker.
func admin(t *testing.T, o web.Options) string {
	t.Helper()
	s, err := web.NewAdmin(o)
	testkit.Must(t, err)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return h.URL
}

func TestAdminServesProbesAlone(t *testing.T) {
	url := admin(t, web.Options{Transfers: stocked(1)})
	for path, want := range map[string]int{
		"/": http.StatusOK, "/healthz": http.StatusOK, "/readyz": http.StatusOK, "/metrics": http.StatusOK,
		"/v1/transfers": http.StatusNotFound, "/debug/pprof/": http.StatusNotFound,
	} {
		if status, _, body := get(t, url+path); status != want {
			t.Errorf("%s: %d, want %d: %s", path, status, want, body)
		}
	}
}

func TestAdminServesProfilesWhenAsked(t *testing.T) {
	url := admin(t, web.Options{Transfers: stocked(1), Profile: true})
	if status, _, body := get(t, url+"/debug/pprof/goroutine?debug=1"); status != http.StatusOK || !strings.Contains(body, "goroutine profile:") {
		t.Errorf("%d %.200s", status, body)
	}
	if status, _, body := get(t, url+"/debug/pprof/cmdline"); status != http.StatusNotFound {
		t.Errorf("the command line, which may hold a password: %d %s", status, body)
	}
}

func TestAdminIsReadyWithItsWorker(t *testing.T) {
	notYet := errors.New("the worker has not started yet")
	url := admin(t, web.Options{Transfers: stocked(1), Ready: func() error { return notYet }})
	if status, _, body := get(t, url+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "has not started yet") {
		t.Errorf("%d %s", status, body)
	}
	notYet = nil
	if status, _, body := get(t, url+"/readyz"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}

func TestMetricsShowTheQueues(t *testing.T) {
	var down error
	url := admin(t, web.Options{Transfers: stocked(1), Queues: func(context.Context) ([]queue.Stats, error) {
		return []queue.Stats{{Name: "urgent", Paused: true, Pending: 3, Active: 2, Retrying: 1, Grouped: 7, Age: 1500 * time.Millisecond}}, down
	}})
	_, _, body := get(t, url+"/metrics")
	for _, line := range []string{
		"baler_redis_up 1", `baler_queue_batches{queue="urgent",state="pending"} 3`, `baler_queue_batches{queue="urgent",state="active"} 2`,
		`baler_queue_batches{queue="urgent",state="retrying"} 1`, `baler_queue_grouped_files{queue="urgent"} 7`,
		`baler_queue_oldest_seconds{queue="urgent"} 1.5`, `baler_queue_paused{queue="urgent"} 1`,
	} {
		if !strings.Contains(body, "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, body)
		}
	}
	down = errors.New("away")
	if _, _, body := get(t, url+"/metrics"); !strings.Contains(body, "\nbaler_redis_up 0\n") || strings.Contains(body, "\nbaler_queue_") {
		t.Errorf("without Redis:\n%s", body)
	}
}
