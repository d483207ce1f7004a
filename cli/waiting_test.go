package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
)

// says expects a transfer's reason in each form of status.
func (s *testEnv) says(t *testing.T, id, state, reason string) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		return lacks(s.must(exitOK, "status", id).stdout, "\nWaiting for: "+reason+"\n")
	})
	contains(t, "detail", s.stable(s.must(exitOK, "status", id).stdout), "Transfer ID "+state+"\n")
	contains(t, "list", s.must(exitOK, "status").stdout, "  "+state+" ")
	quoted, err := jsonText(reason)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "JSON", s.must(exitOK, "status", id, "--json").stdout, `"state":"running",`, `"waiting_for":`+quoted)
	contains(t, "JSON of the list", s.must(exitOK, "status", "--json").stdout, `"waiting_for":`+quoted)
}

func TestStatusSaysWhatATransferWaitsFor(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	submit := func(args ...string) string {
		t.Helper()
		return strings.TrimSpace(s.must(exitOK, append([]string{"submit", s.path("in")}, args...)...).stdout)
	}
	id := submit("--queue", "low", "--recipe", "checksum")
	s.says(t, id, "waiting", "a worker with the handler checksum: no worker is running")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	registry := &handlers.Registry{}
	shout := handlers.PerFile(func(context.Context, *handlers.Job) error { return nil })
	if err := registry.Register("shout", shout); err != nil {
		t.Fatal(err)
	}
	ended := make(chan string, 1)
	go func() {
		var stdout, stderr buffer
		p := &program{name: "baler", registry: registry, env: append(s.env, "BALER_WORKER_NAME=other")}
		code := p.execute(ctx, []string{"worker", "--queues", "low=1"}, strings.NewReader(""), &stdout, &stderr)
		ended <- fmt.Sprintf("%d %s", code, stderr.String())
	}()
	s.says(t, id, "waiting", "a worker with the handler checksum: no live worker has it")
	cancel()
	if end := <-ended; !strings.HasPrefix(end, "0 ") {
		t.Errorf("the worker without the handler ended with %s", end)
	}

	_, _, stopOther := s.start("worker", "--queues", "default=1")
	s.says(t, id, "waiting", "a worker of queue low: no live worker takes batches from it")
	s.must(exitOK, "pause", id)
	s.says(t, id, "paused", "a person to resume it")
	s.must(exitOK, "resume", id)
	if r := stopOther(); r.code != exitOK {
		t.Errorf("the worker of another queue ended with %d:\n%s", r.code, r.stderr)
	}

	s.env = append(s.env, "BALER_WORKER_NAME=right")
	_, stderr, stop := s.start("worker", "--queues", "low=1")
	s.must(exitOK, "status", "--watch", id)
	if text := s.must(exitOK, "status", id, "--json").stdout; strings.Contains(text, "waiting_for") {
		t.Errorf("a transfer that has ended waits: %s", text)
	}
	s.must(exitOK, "queue", "pause", "low")
	paused := submit("--queue", "low", "--recipe", "checksum")
	s.says(t, paused, "waiting", "a person to resume queue low, which is paused")
	s.must(exitOK, "workers", "pause", "right")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "worker takes no new batches") })
	s.must(exitOK, "queue", "resume", "low")
	s.says(t, paused, "waiting", "a person to resume a worker: all with the handler checksum on queue low are paused or drain")
	s.env = append(s.env, "BALER_REDIS_URL=redis://127.0.0.1:1")
	s.says(t, paused, "waiting", "Redis, which does not answer")
	if r := stop(); r.code != exitOK {
		t.Errorf("the worker ended with %d:\n%s", r.code, r.stderr)
	}
}

// A worker that does not run the programs of a recipe says so at once, not after all attempts.
func TestStatusSaysWhyATransferIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	recipe := s.file("own.yaml", "name: own\nsteps:\n  - handler: exec\n    retry: {attempts: 3, backoff: 1h}\n    with: {command: [\"true\"]}\n")
	_, _, stop := s.start("worker")
	defer stop()
	id := strings.TrimSpace(s.must(exitOK, "submit", s.path("in"), "--recipe", recipe).stdout)
	testkit.Eventually(t, time.Minute, func() error {
		return lacks(s.must(exitOK, "status", id).stdout,
			": the last one ended with commands-not-allowed: this worker does not run the programs of this recipe: put the recipe's file into a folder")
	})
}

func TestAPISaysWhatATransferWaitsFor(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	stdout, _, stop := s.start("serve", "--listen", "127.0.0.1:0")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "\n") })
	url := strings.TrimSpace(stdout.String()) + "/v1/transfers"
	id := strings.TrimSpace(s.must(exitOK, "submit", s.path("in"), "--recipe", "checksum").stdout)
	for _, address := range []string{url, url + "/" + id} {
		transport := &http.Transport{}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		testkit.Must(t, err)
		answer, err := transport.RoundTrip(req)
		testkit.Must(t, err)
		body, err := io.ReadAll(answer.Body)
		testkit.Must(t, err)
		testkit.Must(t, answer.Body.Close())
		transport.CloseIdleConnections()
		contains(t, address, string(body), `"waiting_for":"a worker with the handler checksum: no worker is running"`)
	}
	stop()
}

func TestProgressSaysWhatATransferWaitsFor(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	reason := "a worker with the handler checksum: no worker is running"
	_, lines, stopLines := s.start("submit", s.path("in"), "--recipe", "checksum", "--wait")
	_, objects, stopObjects := s.start("submit", s.path("in"), "--recipe", "checksum", "--wait", "--json")
	testkit.Eventually(t, time.Minute, func() error { return lacks(lines.String(), "0 / 1 file, 0%; waiting for "+reason+"\n") })
	quoted, err := jsonText(reason)
	testkit.Must(t, err)
	testkit.Eventually(t, time.Minute, func() error { return lacks(objects.String(), `"waiting_for":`+quoted+"}") })
	stopLines()
	stopObjects()
}
