package doctor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/doctor"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// site is a database and a Redis to diagnose.
type site struct {
	cfg   config.Config
	store *store.Store
}

func newSite(t *testing.T, redisURL string) *site {
	t.Helper()
	s := &site{cfg: config.Config{Redis: config.RedisSettings{URL: redisURL}, Database: config.DatabaseSettings{URL: testkit.SQLite(t)}}}
	var err error
	s.store, err = store.Open(t.Context(), s.cfg.Database.URL, store.Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, s.store)
	_, err = s.store.Migrate(t.Context())
	testkit.Must(t, err)
	return s
}

// expect fails unless a check has the status and its detail or hint the text.
func (s *site) expect(t *testing.T, name string, status doctor.Status, part string, now func() time.Time) {
	t.Helper()
	var all []string
	for _, c := range doctor.Diagnose(t.Context(), s.cfg, doctor.Options{Now: now}) {
		if c.Name == name && c.Status == status && strings.Contains(c.Detail+" "+c.Hint, part) {
			return
		}
		all = append(all, fmt.Sprint(c))
	}
	t.Errorf("no check %q that is %s with %q in\n%s", name, status, part, strings.Join(all, "\n"))
}

// unfinished registers a file of a transfer that needs a handler.
func (s *site) unfinished(t *testing.T, handler string) tasks.Transfer {
	t.Helper()
	tr, _, err := s.store.Create(t.Context(), store.NewTransfer{
		Via: tasks.ViaBulk, Queue: "q", Steps: []tasks.StepProgress{{Number: 1, Name: "one", Handler: handler}},
	})
	testkit.Must(t, err)
	testkit.Must(t, s.store.AddFiles(t.Context(), store.FileBatch{Transfer: tr.ID, Files: []tasks.File{{Path: "/a", Size: 1}}}))
	return tr
}

func TestWritesAndHealthyQueue(t *testing.T) {
	t.Parallel()
	s := newSite(t, testkit.Redis(t))
	for _, name := range []string{"writes", "queue writes", "eviction", "queue memory", "queues", "handlers", "backlog"} {
		s.expect(t, name, doctor.StatusOK, "", nil)
	}
}

func TestClocks(t *testing.T) {
	t.Parallel()
	s := newSite(t, testkit.Redis(t))
	s.expect(t, "queue clock", doctor.StatusWarning, "NTP", func() time.Time { return time.Now().Add(5 * time.Second) })
	s.expect(t, "queue clock", doctor.StatusError, "NTP", func() time.Time { return time.Now().Add(-15 * time.Second) })
}

func TestAHandlerThatNobodyHas(t *testing.T) {
	t.Parallel()
	s := newSite(t, testkit.Redis(t))
	s.unfinished(t, "thumbnail")
	s.expect(t, "handlers", doctor.StatusWarning, "thumbnail, and no worker is running", nil)
	s.expect(t, "backlog", doctor.StatusWarning, "no worker takes batches", nil)
	_, err := s.store.HeartbeatWorker(t.Context(), tasks.Worker{Name: "w1", Handlers: []string{"checksum"}, Slots: 1}, "one")
	testkit.Must(t, err)
	s.expect(t, "handlers", doctor.StatusError, "need thumbnail, which no worker has", nil)
	_, err = s.store.HeartbeatWorker(t.Context(), tasks.Worker{Name: "w2", Handlers: []string{"thumbnail"}, Slots: 1}, "two")
	testkit.Must(t, err)
	s.expect(t, "handlers", doctor.StatusOK, "", nil)
	_, err = s.store.SetDesiredState(t.Context(), "w2", tasks.WorkerPaused)
	testkit.Must(t, err)
	s.expect(t, "workers", doctor.StatusWarning, "baler workers resume w2", nil)
}

func TestABacklogThatStands(t *testing.T) {
	t.Parallel()
	s := newSite(t, testkit.Redis(t))
	tr := s.unfinished(t, "noop")
	_, err := s.store.HeartbeatWorker(t.Context(), tasks.Worker{Name: "w1", Handlers: []string{"noop"}, Slots: 1}, "one")
	testkit.Must(t, err)
	s.expect(t, "backlog", doctor.StatusOK, "1 file to do", nil)
	testkit.Must(t, s.store.AddBatches(t.Context(), []tasks.Batch{{
		Transfer: tr.ID, Step: 1, Attempt: 1, Queue: "q", Files: tasks.Ranges{{First: 1, Last: 1}}, NotBefore: time.Now().Add(-time.Hour),
	}}))
	s.expect(t, "backlog", doctor.StatusError, "1 batch overdue", nil)
}

func TestPausedQueue(t *testing.T) {
	t.Parallel()
	s := newSite(t, testkit.Redis(t))
	q, err := queue.Connect(s.cfg.Redis, nil)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, q)
	testkit.Must(t, q.Producer.EnqueueBatches(t.Context(), []tasks.Batch{{ID: 1, Transfer: 1, Step: 1, Attempt: 1, Queue: "urgent"}}))
	testkit.Must(t, asynq.NewInspectorFromRedisClient(q.Client).PauseQueue("urgent"))
	s.expect(t, "queues", doctor.StatusWarning, "baler queue resume urgent", nil)
}

func TestRedisThatEvictsIsFullOrRefuses(t *testing.T) {
	t.Parallel()
	server := testkit.NewRedisServer(t, testkit.RedisOptions{})
	s := newSite(t, server.URL())
	c := testkit.RedisClient(t, server.URL(), nil)
	set := func(key, value string) {
		t.Helper()
		testkit.Must(t, c.ConfigSet(t.Context(), key, value).Err())
	}
	set("maxmemory-policy", "allkeys-lru")
	s.expect(t, "eviction", doctor.StatusError, "CONFIG SET maxmemory-policy noeviction", nil)
	q, err := queue.Connect(s.cfg.Redis, nil)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, q)
	if err := q.CheckEviction(t.Context()); !errors.Is(err, queue.ErrEvicts) || !strings.Contains(err.Error(), "allkeys-lru") {
		t.Errorf("got %v", err)
	}
	s.cfg.Redis.AllowEviction = true
	s.expect(t, "eviction", doctor.StatusWarning, "redis.allow_eviction accepts this", nil)
	set("maxmemory-policy", "noeviction")
	testkit.Must(t, q.CheckEviction(t.Context()))
	set("maxmemory", "1mb")
	s.expect(t, "queue memory", doctor.StatusError, "raise maxmemory", nil)
	s.expect(t, "queue writes", doctor.StatusError, "OOM", nil)
	set("maxmemory", "0")
	testkit.Must(t, c.ReplicaOf(t.Context(), "127.0.0.1", "1").Err())
	s.expect(t, "queue writes", doctor.StatusError, "it is a replica", nil)
	testkit.Must(t, c.ReplicaOf(t.Context(), "NO", "ONE").Err())
	set("requirepass", "secret")
	s.expect(t, "queue", doctor.StatusError, "refuses this account", nil)
}

func TestDoctorCountsTransfersThatStandStill(t *testing.T) {
	s := newSite(t, string(config.Embedded))
	s.expect(t, "waiting", doctor.StatusOK, "no transfer stands still", nil)
	s.unfinished(t, "one")
	s.unfinished(t, "two")
	paused := s.unfinished(t, "three")
	_, err := s.store.Pause(t.Context(), paused.ID)
	testkit.Must(t, err)
	s.expect(t, "waiting", doctor.StatusWarning, "transfers stand still: 2 for a worker, 1 for a person", nil)
}
