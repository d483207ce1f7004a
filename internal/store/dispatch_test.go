package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// These tests run the dispatcher, which knows no database, on real ones, and on
// a real queue.

type dispatchEnv struct {
	*env
	redis    *redis.Client
	producer *queue.Producer
	policy   tasks.BatchPolicy
}

func eachDispatchEnv(t *testing.T, test func(t *testing.T, s *dispatchEnv)) {
	t.Helper()
	each(t, func(t *testing.T, b *env) {
		c := testkit.RedisClient(t, testkit.Redis(t), nil)
		test(t, &dispatchEnv{env: b, redis: c, producer: queue.NewProducer(c), policy: tasks.BatchPolicy{MaxItems: 10}})
	})
}

const twoStepRecipe = "name: two\nsteps:\n  - {handler: noop, when: size > 0}\n  - {handler: noop, name: second}\n"

func (s *dispatchEnv) submit(t *testing.T, via tasks.Via, n int) int64 {
	t.Helper()
	tr, _, err := s.Create(t.Context(), NewTransfer{
		Via: via, Queue: "baler", Recipe: twoStepRecipe,
		Steps: []tasks.StepProgress{{Number: 1, Name: "noop", Handler: "noop"}, {Number: 2, Name: "second", Handler: "noop"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.files(t, tr.ID, n)
	return tr.ID
}

// dispatcher uses a ledger in the place of the store, when one is given.
func (s *dispatchEnv) dispatcher(l dispatch.Store, o dispatch.Options) *dispatch.Dispatcher {
	if l == nil {
		l = s
	}
	if o.Now == nil {
		o.Now = s.clock.Now
	}
	if o.LeaseHolder == "" {
		o.LeaseHolder = "me"
	}
	o.Window, o.SweepDelay, o.Resend = cmp.Or(o.Window, 64), cmp.Or(o.SweepDelay, 2*time.Minute), cmp.Or(o.Resend, 15*time.Second)
	o.Interval, o.Queues, o.Handlers = time.Millisecond, []string{"baler"}, []string{"noop"}
	catalog := dispatch.NewTransferCache(s.TransferByID, func(*recipe.Step) tasks.BatchPolicy { return s.policy })
	return dispatch.New(l, s.producer, catalog, o)
}

// start runs a dispatcher until the test ends, or stop is called.
func start(t *testing.T, d *dispatch.Dispatcher) (stop func()) {
	t.Helper()
	return testkit.Background(t, func(ctx context.Context) error {
		if err := d.Run(ctx); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("the dispatcher ended with %w", err)
		}
		return nil
	})
}

func (s *dispatchEnv) queued(t *testing.T) []string {
	t.Helper()
	var ids []string
	infos, err := asynq.NewInspectorFromRedisClient(s.redis).ListPendingTasks("baler", asynq.PageSize(10_000))
	if err != nil && !errors.Is(err, asynq.ErrQueueNotFound) {
		t.Fatal(err)
	}
	for _, info := range infos {
		ids = append(ids, info.ID)
	}
	slices.Sort(ids)
	return ids
}

// awaitQueue waits until the queue holds exactly the ledger's batches, n of them.
func (s *dispatchEnv) awaitQueue(t *testing.T, n int) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		all, _, err := s.BatchesAfter(t.Context(), 0, 10_000)
		if err != nil {
			return err
		}
		var want []string
		for i := range all {
			want = append(want, queue.BatchTaskID(all[i].ID))
		}
		slices.Sort(want)
		if got := s.queued(t); len(want) != n || !slices.Equal(got, want) {
			return fmt.Errorf("the queue has %d messages, the ledger %d batches, want %d", len(got), len(want), n)
		}
		return nil
	})
}

// checkOnce: the files up to last are each in one batch of the ledger.
func (s *dispatchEnv) checkOnce(t *testing.T, transfer, last int64) {
	t.Helper()
	open, err := s.OpenBatches(t.Context(), transfer)
	if err != nil {
		t.Fatal(err)
	}
	times := map[int64]int{}
	for i := range open {
		for f := range open[i].Files.All() {
			times[f]++
		}
	}
	for f := range last {
		if times[f+1] != 1 {
			t.Fatalf("file %d is in %d batches", f+1, times[f+1])
		}
	}
}

// finish closes one open batch as a worker would that has nothing more to do.
func (s *dispatchEnv) finish(t *testing.T, b *tasks.Batch) {
	t.Helper()
	held, err := claim(t.Context(), s.Store, b.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	s.record(t, &ledger.BatchCompletion{
		Batch:   &held.Batch,
		Results: results(&held.Batch, tasks.OutcomeSucceeded, slices.Collect(held.Files.All())...), FollowUp: finishing(&held.Batch),
	})
	if _, err := s.redis.Del(t.Context(), "asynq:{baler}:t:"+queue.BatchTaskID(b.ID)).Result(); err != nil {
		t.Fatal(err)
	}
	if err := s.redis.LRem(t.Context(), "asynq:{baler}:pending", 0, queue.BatchTaskID(b.ID)).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestDispatchKeepsTheWindow(t *testing.T) {
	eachDispatchEnv(t, func(t *testing.T, s *dispatchEnv) {
		giant, small := s.submit(t, tasks.ViaBulk, 500), s.submit(t, tasks.ViaBulk, 10)
		d := s.dispatcher(nil, dispatch.Options{Window: 4})
		start(t, d)
		s.awaitQueue(t, 5) // four of the giant, and the small one beside them
		s.checkOnce(t, small, 10)
		if read := s.read(t, giant); read.Cursor != 40 || read.Steps[0].Selected != 40 {
			t.Errorf("%+v", read)
		}
		open, err := s.OpenBatches(t.Context(), giant)
		if err != nil {
			t.Fatal(err)
		}
		s.finish(t, &open[0])
		d.Wake()
		testkit.Eventually(t, time.Minute, func() error {
			if c := s.read(t, giant).Cursor; c != 50 {
				return fmt.Errorf("the cursor is at %d, want 50", c)
			}
			return nil
		})
		s.awaitQueue(t, 5)
	})
}

func TestDispatchRoutesByCondition(t *testing.T) {
	eachDispatchEnv(t, func(t *testing.T, s *dispatchEnv) {
		id := s.submit(t, tasks.ViaBulk, 5)
		empty := someFiles(5)
		for i := range empty {
			empty[i].Size = 0
		}
		if err := s.AddFiles(t.Context(), FileBatch{Transfer: id, Files: empty}); err != nil {
			t.Fatal(err)
		}
		start(t, s.dispatcher(nil, dispatch.Options{}))
		s.awaitQueue(t, 2)
		if read := s.read(t, id); read.Steps[0].Selected != 5 || read.Steps[1].Selected != 5 {
			t.Errorf("%+v", read.Steps)
		}
		s.checkOnce(t, id, 10)
	})
}

// A process died between the commit of a batch and sending it, or Redis was emptied.
func TestOutboxSendsWhatTheQueueLacks(t *testing.T) {
	eachDispatchEnv(t, func(t *testing.T, s *dispatchEnv) {
		id := s.submit(t, tasks.ViaBulk, 30)
		if _, err := s.CommitDispatch(t.Context(), ledger.Dispatch{Transfer: id, To: 30, Batches: []tasks.Batch{newBatch(t, id, 1, "1-30")}}); err != nil {
			t.Fatal(err)
		}
		start(t, s.dispatcher(nil, dispatch.Options{}))
		s.clock.Advance(sendGrace)
		s.awaitQueue(t, 1)
		delivery := func() int {
			open, err := s.OpenBatches(t.Context(), id)
			if err != nil || len(open) != 1 {
				t.Fatalf("%+v, %v", open, err)
			}
			return open[0].FencingToken
		}
		before := delivery()
		if err := s.redis.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, time.Minute, func() error {
			s.clock.Advance(10 * time.Second)
			if n := len(s.queued(t)); n != 1 {
				return fmt.Errorf("%d messages", n)
			}
			return nil
		})
		if after := delivery(); after <= before {
			t.Errorf("sent again with delivery %d after %d: a worker that still has it could record", after, before)
		}
	})
}

// frozen is a dispatcher's view of the ledger that was right a while ago.
type frozen struct {
	*Store
	backlogs []ledger.Backlog
}

func (f frozen) Backlogs(context.Context, int64, int) ([]ledger.Backlog, error) {
	return slices.Clone(f.backlogs), nil
}

// A second dispatcher that still acts as the holder of the lease.
func (f frozen) AcquireLease(context.Context, string, string, time.Duration) (bool, error) {
	return true, nil
}

func TestTwoDispatchersDoubleNothing(t *testing.T) {
	eachDispatchEnv(t, func(t *testing.T, s *dispatchEnv) {
		id := s.submit(t, tasks.ViaBulk, 300)
		then, err := s.Backlogs(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		start(t, s.dispatcher(frozen{s.Store, then}, dispatch.Options{LeaseHolder: "frozen"}))
		start(t, s.dispatcher(nil, dispatch.Options{LeaseHolder: "one"}))
		start(t, s.dispatcher(frozen{s.Store, then}, dispatch.Options{LeaseHolder: "frozen, too"}))
		s.awaitQueue(t, 30)
		s.checkOnce(t, id, 300)
		if read := s.read(t, id); read.Steps[0].Selected != 300 {
			t.Errorf("%+v", read.Steps)
		}
	})
}

func TestElectionGoesOn(t *testing.T) {
	eachDispatchEnv(t, func(t *testing.T, s *dispatchEnv) {
		elected := make(chan string, 10)
		candidate := func(name string) *dispatch.Dispatcher {
			return s.dispatcher(nil, dispatch.Options{LeaseHolder: name, OnElected: func(context.Context) error {
				elected <- name
				return nil
			}})
		}
		stop := start(t, candidate("first"))
		if name := <-elected; name != "first" {
			t.Fatalf("elected %s", name)
		}
		start(t, candidate("second"))
		stop() // in order: the lease is given up
		await := func(want string) {
			testkit.Eventually(t, time.Minute, func() error {
				s.clock.Advance(200 * time.Millisecond)
				select {
				case name := <-elected:
					if name != want {
						t.Errorf("elected %s, want %s", name, want)
					}
					return nil
				default:
					return errors.New("no dispatcher was elected")
				}
			})
		}
		await("second")
	})
}

// The lease of one that died without a word ends.
func TestElectionAfterADeath(t *testing.T) {
	eachDispatchEnv(t, func(t *testing.T, s *dispatchEnv) {
		if held, err := s.AcquireLease(t.Context(), "dispatcher", "dead", 5*time.Second); err != nil || !held {
			t.Fatalf("%v, %v", held, err)
		}
		s.submit(t, tasks.ViaBulk, 10)
		start(t, s.dispatcher(nil, dispatch.Options{}))
		testkit.Eventually(t, time.Minute, func() error {
			s.clock.Advance(500 * time.Millisecond)
			if len(s.queued(t)) != 1 {
				return errors.New("nothing was sent")
			}
			return nil
		})
	})
}

// Of a group transfer's files the sweep takes those that nothing stands for.
func TestSweepFindsWhatIsLost(t *testing.T) {
	eachDispatchEnv(t, func(t *testing.T, s *dispatchEnv) {
		id := s.submit(t, tasks.ViaGroup, 40)
		if err := s.db.Exec("UPDATE steps SET selected = 40 WHERE transfer_id = ? AND no = 1", id).Error; err != nil {
			t.Fatal(err)
		}
		done, open := s.batch(t, id, "1-10"), s.batch(t, id, "11-15,21-25")
		s.finish(t, done)
		if err := s.producer.EnqueueBatches(t.Context(), []tasks.Batch{*open}); err != nil {
			t.Fatal(err)
		}
		start(t, s.dispatcher(nil, dispatch.Options{SweepDelay: time.Minute}))
		testkit.Eventually(t, time.Minute, func() error {
			s.clock.Advance(time.Second)
			if c := s.read(t, id).Cursor; c != 40 {
				return fmt.Errorf("the cursor is at %d", c)
			}
			return nil
		})
		all, err := s.OpenBatches(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var found []int64
		for _, b := range all {
			if b.ID != open.ID {
				found = append(found, slices.Collect(b.Files.All())...)
			}
		}
		slices.Sort(found)
		if got := tasks.NewRanges(found).String(); got != "16-20,26-40" || len(found) != 20 {
			t.Errorf("found %s", got)
		}
		if read := s.read(t, id); read.Steps[0].Selected != 40 {
			t.Errorf("what was lost was counted again: %+v", read.Steps)
		}
		s.awaitQueue(t, 3)
	})
}

// Files that wait for the aggregator are slow, not lost.
func TestSweepLeavesWhatWaits(t *testing.T) {
	eachDispatchEnv(t, func(t *testing.T, s *dispatchEnv) {
		id := s.submit(t, tasks.ViaGroup, 3)
		routed := make([]queue.FileTask, 3)
		for i := range routed {
			routed[i] = queue.FileTask{File: &tasks.File{No: int64(i) + 1, Size: 1}, Step: 1, Handler: "noop"}
		}
		if err := s.producer.EnqueueFiles(t.Context(), "baler", id, routed, 0); err != nil {
			t.Fatal(err)
		}
		// The name of their groups is lost, as after a crash of asynq.
		if err := s.redis.Del(t.Context(), "asynq:{baler}:groups").Err(); err != nil {
			t.Fatal(err)
		}
		start(t, s.dispatcher(nil, dispatch.Options{SweepDelay: time.Minute}))
		testkit.Eventually(t, time.Minute, func() error {
			n, err := s.redis.SCard(t.Context(), "asynq:{baler}:groups").Result()
			if err == nil && n == 0 {
				return errors.New("no group has its name")
			}
			return err
		})
		s.clock.Advance(2 * time.Minute)
		other := s.submit(t, tasks.ViaBulk, 10) // served in a later turn than the sweep
		testkit.Eventually(t, time.Minute, func() error {
			if c := s.read(t, other).Cursor; c != 10 {
				return fmt.Errorf("the cursor is at %d", c)
			}
			return nil
		})
		if open, err := s.OpenBatches(t.Context(), id); err != nil || len(open) > 0 {
			t.Errorf("%+v, %v", open, err)
		}
	})
}

func TestBacklogTellsTheBytesThatAreLeft(t *testing.T) {
	eachDispatchEnv(t, func(t *testing.T, s *dispatchEnv) {
		id := s.submit(t, tasks.ViaBulk, 5)
		left := func() int64 {
			t.Helper()
			backlogs, err := s.Backlogs(t.Context(), 0, 10)
			if err != nil || len(backlogs) != 1 {
				t.Fatalf("%d backlogs, %v", len(backlogs), err)
			}
			return backlogs[0].Bytes
		}
		before := left()
		files, err := s.FilesAfter(t.Context(), id, 0, 2, true)
		if err != nil {
			t.Fatal(err)
		}
		c := ledger.Dispatch{Transfer: id, To: files[1].No, Bytes: files[0].Size + files[1].Size, Finished: 2}
		if _, err := s.CommitDispatch(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if after := left(); c.Bytes == 0 || before-after != c.Bytes {
			t.Errorf("%d bytes were left, then %d without %d", before, after, c.Bytes)
		}
	})
}
