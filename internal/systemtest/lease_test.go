package systemtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A change in Redis can end asynq's lease on a running batch, so that asynq delivers it to
// another worker. The ledger knows that the first worker is alive: no batch counts as lost,
// no batch runs twice, and no step runs whose condition excludes the file.
func TestMovedLeasesRunNothingTwice(t *testing.T) {
	t.Parallel()
	c := servers(t)
	c.Dispatch.Resend = time.Second // so that the dispatcher looks at the leases too
	var first, second atomic.Int64
	begun, release := make(chan struct{}, 1000), make(chan struct{})
	registry := &handlers.Registry{}
	testkit.Must(t, registry.Register("first", handlers.HandlerFunc(func(ctx context.Context, jobs []*handlers.Job) error {
		first.Add(int64(len(jobs)))
		begun <- struct{}{}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})))
	testkit.Must(t, registry.Register("second", handlers.HandlerFunc(func(_ context.Context, jobs []*handlers.Job) error {
		second.Add(int64(len(jobs)))
		return nil
	})))
	b := open(t, c, registry)
	work(t, b)
	const files = 7
	tr := submit(t, b, baler.Submission{
		Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk,
		Recipe: yaml(t, "name: t\nsteps: [{handler: first, batch: {max_items: 100}}, {handler: second, when: size > 1000}]"),
	})
	<-begun
	s, err := store.Open(t.Context(), c.Database.URL, store.Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, s)
	eventually(t, func() error {
		around, err := s.Surroundings(t.Context())
		if err == nil && len(around.Held) == 0 {
			err = errors.New("the worker has not published yet that it holds its batch")
		}
		return err
	})

	opt, err := asynq.ParseRedisURI(c.Redis.URL)
	testkit.Must(t, err)
	inspector := asynq.NewInspector(opt)
	testkit.CloseAtEnd(t, inspector)
	client, ok := opt.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		t.Fatal("asynq makes an unexpected kind of client")
	}
	testkit.CloseAtEnd(t, client)
	c.Worker.Name = "other"
	other := open(t, c, registry)
	work(t, other) // it looks for ended leases when it starts
	const key = "asynq:{default}:lease"
	eventually(t, func() error {
		held, err := client.ZRange(t.Context(), key, 0, -1).Result()
		testkit.Must(t, err)
		for _, id := range held {
			testkit.Must(t, client.ZAddXX(t.Context(), key, redis.Z{Score: 1, Member: id}).Err())
		}
		if first.Load() > files {
			return nil // reported below
		}
		again, err := inspector.ListRetryTasks("default")
		refused := slices.ContainsFunc(again, func(i *asynq.TaskInfo) bool { return strings.Contains(i.LastErr, ledger.ErrClaimed.Error()) })
		if err == nil && !refused {
			err = fmt.Errorf("no worker was given the batch again; leases on %v", held)
		}
		return err
	})
	close(release)
	audit(t, b, wait(t, b, tr.UUID))
	if first.Load() != files || second.Load() != 0 {
		t.Errorf("the first step ran %d times, the second %d times; want %d and 0", first.Load(), second.Load(), files)
	}
	lines, err := s.Recorded(t.Context(), tr.ID, 1, tasks.Ranges{{First: 1, Last: files}})
	testkit.Must(t, err)
	for no, r := range lines {
		if r.Outcome != tasks.OutcomeSucceeded {
			t.Errorf("file %d: %+v", no, r)
		}
	}
}
