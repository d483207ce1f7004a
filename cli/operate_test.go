package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

func TestQueueCommandsOfAnEmbeddedQueue(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	for _, args := range []string{"queue list", "queue list --json", "queue pause default", "queue resume default", "reconcile"} {
		r := s.must(exitError, strings.Fields(args)...)
		equal(t, args, r.stdout+r.said(), "error: the embedded queue exists only inside each process; "+
			"set BALER_REDIS_URL or --redis to use a queue on a server\n")
	}
}

func TestQueues(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	contains(t, "no queues", s.must(exitOK, "queue", "list").stdout, "There are no queues yet")
	equal(t, "no queues in JSON", s.must(exitOK, "queue", "list", "--json").stdout, "")
	equal(t, "pause", s.must(exitError, "queue", "pause", "default").stderr, "error: there is no queue \"default\": there are no queues yet\n")

	s.must(exitOK, "submit", "--via", "group", s.path("in"))
	const title = "QUEUE    STATE    WAITING  RUNNING  RETRYING  FILES IN GROUPS\n"
	equal(t, "list", s.must(exitOK, "queue", "list").stdout,
		title+"default  running        0        0         0                1\n")
	equal(t, "unknown", s.must(exitError, "queue", "pause", "defalt").stderr, "error: there is no queue \"defalt\"; there is default; did you mean \"default\"?\n")
	equal(t, "resume", s.must(exitError, "queue", "resume", "default").stderr, "error: queue default is already running\n")
	equal(t, "pause", s.must(exitOK, "queue", "pause", "default").stdout, "Queue default is paused.\n")
	equal(t, "pause again", s.must(exitError, "queue", "pause", "default", "--json").said(), "error: queue default is already paused\n")
	contains(t, "list", s.must(exitOK, "queue", "list").stdout, "\ndefault  paused ")
	const object = `{"type":"queue","queue":"default","paused":%v,"pending":0,"active":0,"retrying":0,"grouped":1}` + "\n"
	equal(t, "list in JSON", s.must(exitOK, "queue", "list", "--json").stdout, fmt.Sprintf(object, true))
	equal(t, "resume in JSON", s.must(exitOK, "queue", "resume", "default", "--json").stdout, fmt.Sprintf(object, false))
	equal(t, "pause in JSON", s.must(exitOK, "queue", "pause", "default", "--json").stdout, fmt.Sprintf(object, true))
	equal(t, "resume", s.must(exitOK, "queue", "resume", "default").stdout, "Queue default is running.\n")
}

// worker is the only worker that "workers --json" lists.
func (s *testEnv) worker() (w workerObject, err error) {
	r := s.do("workers", "list", "--json")
	if err := json.Unmarshal([]byte(r.stdout), &w); err != nil {
		return w, fmt.Errorf("%w in %q", err, r.stdout)
	}
	return w, nil
}

func TestWorkers(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"embedded", "services"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newTestEnv(t)
			if kind == "services" {
				s.services()
			}
			contains(t, "none", s.must(exitOK, "workers").stdout, "No worker is running: start one with 'baler worker'.\n")
			equal(t, "none in JSON", s.must(exitOK, "workers", "--json").stdout, "")
			s.env = append(s.env, "BALER_WORKER_NAME=host-1")
			_, stderr, stop := s.start("worker", "--concurrency", "3")
			var w workerObject
			testkit.Eventually(t, time.Minute, func() (err error) {
				w, err = s.worker()
				return err
			})
			if w.Type != "worker" || w.Worker != "host-1" || w.State != "running" || w.Concurrency != 3 || len(w.Handlers) == 0 {
				t.Errorf("worker in JSON: %+v", w)
			}
			contains(t, "table", s.must(exitOK, "workers", "list").stdout, "WORKER  STATE    CONCURRENCY", "\nhost-1  running            3  ")
			equal(t, "unknown", s.must(exitError, "workers", "pause", "host-2").stderr,
				"error: no such worker: host-2 ('baler workers' lists them)\n")
			equal(t, "pause", s.must(exitOK, "workers", "pause", "host-1").stdout, "Worker host-1 will pause; its running batches finish.\n")
			s.must(exitOK, "workers", "pause", "host-1")
			testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "worker takes no new batches") })
			contains(t, "table", s.must(exitOK, "workers").stdout, "\nhost-1  paused ")
			contains(t, "resume", s.must(exitOK, "workers", "resume", "host-1", "--json").stdout, `{"type":"worker","worker":"host-1","state":"running",`)
			testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "worker takes batches again") })
			contains(t, "drain", s.must(exitOK, "workers", "drain", "host-1").stdout, "Worker host-1 will stop after its running batches")
			testkit.Eventually(t, time.Minute, func() error {
				if r := s.do("workers", "--json"); r.stdout != "" {
					return errors.New("it is still there: " + r.stdout)
				}
				return nil
			})
			if r := stop(); r.code != exitOK {
				t.Errorf("the worker ended with %d:\n%s", r.code, r.stderr)
			}
			s.must(exitError, "workers", "resume", "host-1")
		})
	}
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	s.file("in/b.txt", "beta")
	id := strings.TrimSpace(s.must(exitOK, "submit", "--via", "group", s.path("in")).stdout)
	if err := testkit.RedisClient(t, s.setting("BALER_REDIS_URL"), nil).FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	r := s.must(exitOK, "reconcile")
	equal(t, "table", r.stdout+r.stderr, `FOUND                           COUNT
unfinished batches                  0
lost batches, re-enqueued           0
files without a batch, batched      2
lost groups, repaired               0
transfers whose producer died       0
`)
	_, _, stop := s.start("worker")
	s.must(exitOK, "status", "--watch", id)
	stop()
	s.exec("UPDATE transfers SET state = 'open', seen_at = '2020-01-02 03:04:05'")
	r = s.must(exitOK, "reconcile", "--json")
	equal(t, "JSON", r.stdout, `{"type":"reconciliation","batches":0,"resent":0,"files":0,"groups":0,"orphaned":1}`+"\n")
}
