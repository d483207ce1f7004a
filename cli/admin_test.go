package cli

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// adminURL waits until a worker's log names its admin address.
func adminURL(t *testing.T, log *buffer) string {
	t.Helper()
	pattern := regexp.MustCompile(`msg="admin server listens" url=(http://\S+)`)
	var url string
	testkit.Eventually(t, time.Minute, func() error {
		found := pattern.FindStringSubmatch(log.String())
		if found == nil {
			return errors.New("no admin address yet in " + log.String())
		}
		url = found[1]
		return nil
	})
	return url
}

func fetch(url string) (status int, body string, err error) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	r, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, string(b), err
}

func TestWorkerHasAnAdminServer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	_, stderr, stop := s.start("worker", "--profile")
	url := adminURL(t, stderr)
	testkit.Eventually(t, time.Minute, func() error {
		status, body, err := fetch(url + "/readyz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("readyz: %d %s", status, body)
		}
		return err
	})
	s.must(exitOK, "submit", "--wait", "--recipe", "checksum", s.path("in"))
	s.must(exitOK, "queue", "pause", "default")
	status, body, err := fetch(url + "/metrics")
	testkit.Must(t, err)
	contains(t, fmt.Sprint("metrics: ", status), body,
		"\nbaler_results_total{handler=\"checksum\",outcome=\"succeeded\"} 1\n", "\nbaler_batches_running{handler=\"checksum\"} 0\n",
		"\nbaler_batch_duration_seconds_count{handler=\"checksum\"} 1\n", "\nbaler_store_up 1\n", "\nbaler_redis_up 1\n",
		"\nbaler_queue_paused{queue=\"default\"} 1\n", "\nbaler_queue_batches{queue=\"default\",state=\"pending\"} 0\n")
	status, _, err = fetch(url + "/debug/pprof/goroutine?debug=1")
	testkit.Must(t, err)
	if status != http.StatusOK {
		t.Errorf("profiles: %d", status)
	}
	if r := stop(); r.code != exitOK {
		t.Errorf("exit code %d; stderr:\n%s", r.code, r.stderr)
	}
	r := s.must(exitError, "worker", "--admin-listen", "192.0.2.1:1")
	contains(t, "an address of another host", r.stderr, "error: admin server: listen tcp 192.0.2.1:1", "(set --admin-listen to a free address, or to off)\n")
}
