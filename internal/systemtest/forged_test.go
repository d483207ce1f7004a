package systemtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A forged message in Redis makes no worker run anything that the ledger does not have: a
// step that its condition excludes, another file, or a transfer that has ended.
func TestForgedMessagesRunNothing(t *testing.T) {
	t.Parallel()
	c := servers(t)
	c.Group.Grace, c.Group.MaxDelay = time.Second, time.Second
	var first, second atomic.Int64
	registry := &handlers.Registry{}
	testkit.Must(t, registry.Register("first", handlers.HandlerFunc(func(_ context.Context, jobs []*handlers.Job) error {
		first.Add(int64(len(jobs)))
		return nil
	})))
	testkit.Must(t, registry.Register("second", handlers.HandlerFunc(func(_ context.Context, jobs []*handlers.Job) error {
		second.Add(int64(len(jobs)))
		return nil
	})))
	b := open(t, c, registry)
	work(t, b)
	const files = 7
	tr := wait(t, b, submit(t, b, baler.Submission{
		Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaGroup,
		Recipe: yaml(t, "name: t\nsteps: [{handler: first}, {handler: second, when: size > 1000}]"),
	}).UUID)
	s, err := store.Open(t.Context(), c.Database.URL, store.Options{})
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, s.Close()) })
	lines, err := s.Recorded(t.Context(), tr.ID, 1, tasks.Ranges{{First: 1, Last: files}})
	testkit.Must(t, err)

	opt, err := asynq.ParseRedisURI(c.Redis.URL)
	testkit.Must(t, err)
	client := asynq.NewClient(opt)
	t.Cleanup(func() { testkit.Must(t, client.Close()) })
	forge := func(kind string, payload []byte, opts ...asynq.Option) {
		t.Helper()
		_, err := client.Enqueue(asynq.NewTask(kind, payload), opts...)
		testkit.Must(t, err)
	}
	group := asynq.Group(tasks.GroupName("second", 3))
	deadLetters := 0
	for no := range int64(files) {
		excluded := tasks.NewFileMessage(tr.ID, 2, &tasks.File{No: no + 1, Size: 1 << 20}).Encode()
		forge(tasks.TypeFile, excluded, group)
		forge(tasks.TypeFile, excluded)
		forge(tasks.TypeBatch, tasks.NewBatchMessage(&tasks.Batch{
			ID: lines[no].Batch, Transfer: tr.ID, Step: 2, Attempt: 1, Files: tasks.NewRanges([]int64{no + 1}),
		}).Encode())
		deadLetters += 3
		// These are what asynq may deliver twice, too: they are dropped.
		again := tasks.NewFileMessage(tr.ID, 1, &tasks.File{No: no + 1}).Encode()
		forge(tasks.TypeFile, again, group)
		forge(tasks.TypeFile, again)
	}
	eventually(t, func() error {
		letters, err := s.DeadLetters(context.Background(), 0, 100)
		if err == nil && len(letters) != deadLetters {
			err = fmt.Errorf("%d dead letters, want %d", len(letters), deadLetters)
		}
		return err
	})
	inspector := asynq.NewInspector(opt)
	t.Cleanup(func() { testkit.Must(t, inspector.Close()) })
	eventually(t, func() error {
		q, err := inspector.GetQueueInfo("default")
		if err == nil && q.Size > 0 {
			err = fmt.Errorf("%d messages in the queue", q.Size)
		}
		return err
	})
	if first.Load() != files || second.Load() > 0 {
		t.Errorf("%d files ran at the first step, want %d; %d at the second, want 0", first.Load(), files, second.Load())
	}
	after, err := b.Transfer(t.Context(), tr.UUID)
	testkit.Must(t, err)
	audit(t, b, after)
	if after.Steps[1].Selected != 0 || after.Steps[1].Total() != 0 {
		t.Errorf("the second step counts %+v", after.Steps[1])
	}
}
