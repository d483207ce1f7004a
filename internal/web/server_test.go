package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// shelf is a store that holds what a test puts on it.
type shelf struct {
	transfers []tasks.Transfer // newest first
	down      error
}

func (s *shelf) Transfer(_ context.Context, uuid string) (tasks.Transfer, error) {
	for _, t := range s.transfers {
		if t.UUID == uuid {
			return t, s.down
		}
	}
	return tasks.Transfer{}, fmt.Errorf("%w: %s", tasks.ErrTransferNotFound, uuid)
}

func (s *shelf) Transfers(_ context.Context, before int64, limit int) ([]tasks.Transfer, error) {
	var page []tasks.Transfer
	for _, t := range s.transfers {
		if (before == 0 || t.ID < before) && len(page) < limit {
			page = append(page, t)
		}
	}
	return page, s.down
}

func (s *shelf) Totals(context.Context) (ledger.Totals, error) {
	b := ledger.Totals{Transfers: make(map[tasks.State]int64)}
	for i := range s.transfers {
		t := &s.transfers[i]
		b.Transfers[t.State]++
		if !t.State.Ended() {
			b.Registered, b.Finished = b.Registered+t.Files, b.Finished+t.Finished
		}
	}
	return b, s.down
}

func (s *shelf) Waiting(context.Context) (map[ledger.WaitReason]int64, error) {
	return map[ledger.WaitReason]int64{ledger.WaitsForWorker: 2}, s.down
}

func (s *shelf) Ping(context.Context) error { return s.down }

// stocked is a shelf with n transfers.
func stocked(n int) *shelf {
	s := new(shelf)
	for i := n; i > 0; i-- {
		s.transfers = append(s.transfers, tasks.Transfer{
			ID: int64(i), UUID: fmt.Sprintf("01890000-0000-7000-8000-%012d", i), Name: fmt.Sprintf("<script>%d</script>", i),
			State: tasks.StateCompleted, Files: 10, Finished: 10,
			CreatedAt: time.Unix(1700000000, 0).UTC(), EndedAt: time.Unix(1700000002, 0).UTC(),
			Steps: []tasks.StepProgress{{Number: 1, Name: "noop", Handler: "noop", Selected: 10, Counts: tasks.Counts{Succeeded: 9, Failed: 1}}},
		})
	}
	return s
}

// serve starts a server on what a test gives it.
func serve(t *testing.T, o web.Options) string {
	t.Helper()
	s, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.Close()
		if err := errors.Join(s.Close(), s.Close()); err != nil { // twice is fine
			t.Error(err)
		}
	})
	return h.URL
}

func get(t *testing.T, url string) (status int, header http.Header, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return res.StatusCode, res.Header, string(b)
}

func TestHealthAndReadiness(t *testing.T) {
	s := stocked(1)
	var redisDown error
	url := serve(t, web.Options{Transfers: s, RedisPing: func(context.Context) error { return redisDown }})
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, _, body := get(t, url+path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	redisDown = errors.New("refused")
	status, header, body := get(t, url+"/readyz")
	if status != http.StatusServiceUnavailable || header.Get("Content-Type") != "application/problem+json" || !strings.Contains(strings.ToLower(body), "redis") {
		t.Errorf("with Redis down: %d %s %s", status, header.Get("Content-Type"), body)
	}
	redisDown, s.down = nil, errors.New("refused")
	if status, _, body := get(t, url+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(strings.ToLower(body), "database") {
		t.Errorf("with the database down: %d %s", status, body)
	}
	if status, _, _ := get(t, url+"/healthz"); status != http.StatusOK {
		t.Errorf("the process lives, but /healthz says %d", status)
	}
}

func TestTransferIsItsSummary(t *testing.T) {
	s := stocked(1)
	url := serve(t, web.Options{Transfers: s})
	status, _, body := get(t, url+"/v1/transfers/"+s.transfers[0].UUID)
	want, err := json.Marshal(tasks.Summarize(&s.transfers[0], time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	if status != http.StatusOK || !strings.HasPrefix(body, strings.TrimSuffix(string(want), "}")+`,"number":`) {
		t.Errorf("%d %s\nwant %s and where it comes from", status, body, want)
	}
	for path, want := range map[string]int{
		"/v1/transfers/01890000-0000-7000-8000-00000000ffff": http.StatusNotFound,
		"/v1/transfers/nonsense":                             http.StatusUnprocessableEntity,
		"/v1/nothing":                                        http.StatusNotFound,
	} {
		status, header, body := get(t, url+path)
		if status != want || header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %s, want a problem with %d", path, status, header.Get("Content-Type"), body, want)
		}
	}
}

func TestTransfersInPages(t *testing.T) {
	url := serve(t, web.Options{Transfers: stocked(5)})
	var seen []string
	next := ""
	for range 5 {
		status, _, body := get(t, url+"/v1/transfers?limit=2"+next)
		var page struct {
			Transfers []tasks.Summary `json:"transfers"`
			Next      string          `json:"next"`
		}
		if err := json.Unmarshal([]byte(body), &page); status != http.StatusOK || err != nil {
			t.Fatalf("%d %v %s", status, err, body)
		}
		for _, s := range page.Transfers {
			seen = append(seen, s.Transfer[35:])
		}
		if page.Next == "" {
			break
		}
		next = "&before=" + page.Next
	}
	if got := strings.Join(seen, ""); got != "54321" {
		t.Errorf("the pages show %s", got)
	}
	if status, _, _ := get(t, url+"/v1/transfers?before=garbage"); status < 400 || status >= 500 {
		t.Errorf("a bad token answers %d", status)
	}
}

func TestDashboardEscapesAndLoadsNothingFromOutside(t *testing.T) {
	url := serve(t, web.Options{Transfers: stocked(2)})
	for _, path := range []string{"/", "/v1/docs"} {
		status, header, body := get(t, url+path)
		if status != http.StatusOK || strings.Contains(body, "<script>1") {
			t.Errorf("%s: %d, or a name is not escaped", path, status)
		}
		if strings.Contains(body, `src="http`) || strings.Contains(body, `<link rel="stylesheet" href="http`) {
			t.Errorf("%s loads something from elsewhere", path)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s lacks security headers: %v", path, header)
		}
	}
	if _, _, body := get(t, url+"/"); !strings.Contains(body, "completed with failures") {
		t.Error("the page does not tell a transfer with failures from one without")
	}
}

func TestMetricsShowTheBacklog(t *testing.T) {
	s := stocked(3)
	oldest := &s.transfers[2]
	oldest.State, oldest.Files, oldest.Finished = tasks.StateRunning, 7, 3
	url := serve(t, web.Options{Transfers: s})
	_, _, body := get(t, url+"/metrics")
	for _, line := range []string{
		"baler_store_up 1", `baler_transfers_waiting{reason="worker"} 2`, `baler_transfers_waiting{reason="database"} 0`,
		"baler_backlog_files 4", "baler_backlog_files_registered 7", "baler_backlog_files_finished 3",
		`baler_transfers{state="running"} 1`, `baler_transfers{state="completed"} 2`, `baler_transfers{state="open"} 0`,
	} {
		if !strings.Contains(body, "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, body)
		}
	}
	s.down = errors.New("away")
	if _, _, body := get(t, url+"/metrics"); !strings.Contains(body, "\nbaler_store_up 0\n") || strings.Contains(body, "\nbaler_backlog_files") {
		t.Errorf("without a database:\n%s", body)
	}
}

func TestMonitorShowsBatchesReadably(t *testing.T) {
	redisURL := testkit.Redis(t)
	opt, err := asynq.ParseRedisURI(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	client := opt.MakeRedisClient().(redis.UniversalClient)
	defer func() { _ = client.Close() }() // nothing is left to do with it
	b := tasks.Batch{ID: 88, Transfer: 12, Step: 1, Attempt: 1, Queue: "default", Files: tasks.Ranges{{First: 1, Last: 500}}}
	if err := queue.NewProducer(client).EnqueueBatches(t.Context(), []tasks.Batch{b}); err != nil {
		t.Fatal(err)
	}
	url := serve(t, web.Options{Transfers: stocked(1), Redis: opt})
	if status, _, body := get(t, url+"/monitor/"); status != http.StatusOK || !strings.Contains(body, "<div id=\"root\">") {
		t.Errorf("the monitor's page: %d %.200s", status, body)
	}
	status, _, body := get(t, url+"/monitor/api/queues/default/pending_tasks")
	if status != http.StatusOK || !strings.Contains(body, "batch 88") || !strings.Contains(body, "500 files") {
		t.Errorf("%d %s", status, body)
	}
	const pause = "/monitor/api/queues/default:pause"
	if status := post(t, url+pause); status != http.StatusMethodNotAllowed {
		t.Errorf("the monitor changes the queue without permission: %d", status)
	}
	url = serve(t, web.Options{Transfers: stocked(1), Redis: opt, WritableMonitor: true})
	if status := post(t, url+pause); status != http.StatusNoContent {
		t.Errorf("the writable monitor answers %d", status)
	}
}

func post(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

func TestFinalizingTransfersOnEveryFace(t *testing.T) {
	s := stocked(2)
	finalizing, failed := &s.transfers[0], &s.transfers[1]
	finalizing.State, finalizing.EndedAt = tasks.StateFinalizing, time.Time{}
	finalizing.Finalizers = []tasks.FinalizeStep{{Name: "sums", State: tasks.FinalizeDone}, {Name: "bag-it", State: tasks.FinalizeRunning}}
	failed.Steps[0].Counts = tasks.Counts{Succeeded: 10}
	failed.Finalizers = []tasks.FinalizeStep{{Name: "sums", State: tasks.FinalizeFailed, Attempts: 3, Error: "disk full"}}
	url := serve(t, web.Options{Transfers: s})
	for path, parts := range map[string][]string{
		"/": {"finalizing: bag-it", "completed with failures"},
		"/v1/transfers": {
			`"state":"finalizing"`, `"finalizers":[{"step":"sums","state":"failed","attempts":3,"error":"disk full"}]`,
		},
		"/v1/openapi.json": {`"finalizers":{`},
		"/v1/transfers/" + finalizing.UUID: {
			`"state":"finalizing"`, `"finalizers":[{"step":"sums","state":"done","attempts":0,"error":""},{"step":"bag-it","state":"running"`,
		},
		"/metrics": {`baler_transfers{state="finalizing"} 1`},
	} {
		status, _, body := get(t, url+path)
		for _, part := range parts {
			if status != http.StatusOK || !strings.Contains(body, part) {
				t.Errorf("%s: %d without %s:\n%s", path, status, part, body)
			}
		}
	}
}
