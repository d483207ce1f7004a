package queue_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// eachQueue runs a test on a Redis server and on the embedded queue.
func eachQueue(t *testing.T, test func(t *testing.T, c redis.UniversalClient, p *queue.Producer)) {
	t.Helper()
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		c := testkit.RedisClient(t, testkit.Redis(t), nil)
		test(t, c, queue.NewProducer(c))
	})
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		q, err := queue.Connect(config.RedisSettings{URL: string(config.Embedded)}, nil)
		testkit.Must(t, err)
		t.Cleanup(func() { testkit.Must(t, q.Close()) })
		test(t, q.Client, q.Producer)
	})
}

// enqueueFiles enqueues files of a handler that have waited for so long.
func enqueueFiles(t *testing.T, p *queue.Producer, handler string, first, last int64, waited time.Duration) {
	t.Helper()
	var routed []queue.FileTask
	for no := first; no <= last; no++ {
		routed = append(routed, queue.FileTask{File: &tasks.File{No: no, Size: 3}, Step: 1, Handler: handler})
	}
	testkit.Must(t, p.EnqueueFiles(t.Context(), testQueue, 7, routed, waited))
}

func filesOf(t *testing.T, taken *queue.TakenFiles) (files []int64) {
	t.Helper()
	for _, task := range taken.Tasks {
		m, err := tasks.DecodeFile(task.Payload())
		if err != nil || task.Type() != tasks.TypeFile {
			t.Fatalf("took %s %s: %v", task.Type(), task.Payload(), err)
		}
		files = append(files, m.File)
	}
	return files
}

func TestFilesAreTakenWhenTheFirstIsDue(t *testing.T) {
	t.Parallel()
	eachQueue(t, func(t *testing.T, _ redis.UniversalClient, p *queue.Producer) {
		ctx := t.Context()
		take := func(delay time.Duration, most int) (*queue.TakenFiles, time.Duration) {
			t.Helper()
			taken, wait, err := p.TakeDue(ctx, testQueue, delay, most)
			testkit.Must(t, err)
			return taken, wait
		}
		if taken, wait := take(time.Hour, 100); taken != nil || wait != 0 {
			t.Errorf("without groups it returned %+v, %s", taken, wait)
		}
		enqueueFiles(t, p, "noop", 1, 60, 0)
		enqueueFiles(t, p, "other", 101, 110, 0)
		if taken, wait := take(time.Hour, 100); taken != nil || wait > time.Hour || wait < 50*time.Minute {
			t.Errorf("returned %+v; none is due for %s", taken, wait)
		}
		if taken, _ := take(time.Hour, 60); taken == nil || taken.Handler != "noop" || len(filesOf(t, taken)) != 60 {
			t.Errorf("with as many files as a set may have it returned %+v", taken)
		}
		enqueueFiles(t, p, "other", 111, 140, 30*time.Minute) // the record has the time of the first file
		enqueueFiles(t, p, "late", 201, 230, 2*time.Hour)
		enqueueFiles(t, p, "late", 231, 250, 0)
		taken, _ := take(time.Hour, 100)
		if taken == nil || taken.Handler != "late" || len(filesOf(t, taken)) != 50 {
			t.Fatalf("with 50 files, of which the first is due, it returned %+v", taken)
		}
		testkit.Must(t, p.RemoveTaken(ctx, taken))
		if taken, wait := take(31*time.Minute, 100); taken != nil || wait > time.Minute || wait <= 0 {
			t.Errorf("returned %+v; none is due for %s", taken, wait)
		}
	})
}

// A set is no larger than requested, and the next call returns the other files at once.
func TestSetsAreBounded(t *testing.T) {
	t.Parallel()
	eachQueue(t, func(t *testing.T, c redis.UniversalClient, p *queue.Producer) {
		enqueueFiles(t, p, "noop", 1, 1000, time.Hour)
		seen := map[int64]bool{}
		for rest := 1000; rest > 0; rest -= 300 {
			taken, _, err := p.TakeDue(t.Context(), testQueue, time.Minute, 300)
			testkit.Must(t, err)
			files := filesOf(t, taken)
			if len(files) != min(rest, 300) {
				t.Errorf("took %d of %d", len(files), rest)
			}
			for _, no := range files {
				if seen[no] {
					t.Errorf("took file %d twice", no)
				}
				seen[no] = true
			}
			testkit.Must(t, p.RemoveTaken(t.Context(), taken))
		}
		testkit.Eventually(t, time.Minute, func() error { // the mark of a wake-up expires
			keys, err := c.Keys(t.Context(), "*").Result()
			if err == nil && fmt.Sprint(keys) != "[asynq:queues]" {
				err = fmt.Errorf("%q are left", keys)
			}
			return err
		})
	})
}

func TestTwoCollectorsTakeEachFileOnce(t *testing.T) {
	t.Parallel()
	c := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(c)
	enqueueFiles(t, p, "noop", 1, 2000, time.Hour)
	var workers errgroup.Group
	got := make(chan int64, 5000)
	for range 4 {
		workers.Go(func() error {
			for {
				taken, _, err := p.TakeDue(t.Context(), testQueue, time.Minute, 70)
				if err != nil || taken == nil {
					return err
				}
				for _, no := range filesOf(t, taken) {
					got <- no
				}
				if err := p.RemoveTaken(t.Context(), taken); err != nil {
					return err
				}
			}
		})
	}
	testkit.Must(t, workers.Wait())
	close(got)
	seen := map[int64]int{}
	for no := range got {
		seen[no]++
	}
	for no := range int64(2000) {
		if seen[no+1] != 1 {
			t.Errorf("file %d was taken %d times", no+1, seen[no+1])
		}
	}
}

// age ends the time for which taken files belong to their caller.
func age(t *testing.T, c redis.UniversalClient) {
	t.Helper()
	const key = "asynq:{baler}:aggregation_sets"
	sets, err := c.ZRange(t.Context(), key, 0, -1).Result()
	testkit.Must(t, err)
	for _, set := range sets {
		testkit.Must(t, c.ZAdd(t.Context(), key, redis.Z{Score: 1, Member: set}).Err())
	}
}

// Files that a dead process took are returned to the next caller within half a minute.
func TestTakenFilesComeBack(t *testing.T) {
	t.Parallel()
	eachQueue(t, func(t *testing.T, c redis.UniversalClient, p *queue.Producer) {
		ctx := t.Context()
		take := func() *queue.TakenFiles {
			t.Helper()
			taken, _, err := p.TakeDue(ctx, testQueue, time.Minute, 100)
			testkit.Must(t, err)
			return taken
		}
		keep := func(taken *queue.TakenFiles, want bool) {
			t.Helper()
			if held, err := p.KeepTaken(ctx, taken); err != nil || held != want {
				t.Errorf("held: %v, %v; want %v", held, err, want)
			}
		}
		enqueueFiles(t, p, "noop", 1, 40, time.Hour)
		first := take()
		if take() != nil || !first.Held() {
			t.Error("files were taken twice")
		}
		now, err := c.Time(ctx).Result()
		testkit.Must(t, err)
		sets, err := c.ZRangeWithScores(ctx, "asynq:{baler}:aggregation_sets", 0, -1).Result()
		testkit.Must(t, err)
		for _, set := range sets {
			if left := time.Unix(int64(set.Score), 0).Sub(now); left < 15*time.Second || left > 25*time.Second {
				t.Errorf("a set is left alone for %s", left)
			}
		}
		age(t, c)
		keep(first, true)
		if take() != nil {
			t.Error("files that are kept were taken again")
		}
		age(t, c)
		second := take()
		if second == nil || second.Handler != "noop" || len(filesOf(t, second)) != 40 {
			t.Fatalf("came back: %+v", second)
		}
		// The first caller was only slow, and now removes nothing.
		keep(first, false)
		testkit.Must(t, p.RemoveTaken(ctx, first))
		testkit.Must(t, p.ReturnTaken(ctx, second))
		third := take()
		if third == nil || len(filesOf(t, third)) != 40 {
			t.Fatalf("given up: %+v", third)
		}
		testkit.Must(t, p.RemoveTaken(ctx, third))
		if n, err := c.Exists(ctx, "asynq:{baler}:aggregation_sets", "asynq:{baler}:groups", "baler:{baler}:due-groups").Result(); err != nil || n > 0 {
			t.Errorf("%d keys are left, %v", n, err)
		}
	})
}

// Anyone who can write to Redis may add messages to a group.
func TestForeignMessagesAreTaken(t *testing.T) {
	t.Parallel()
	eachQueue(t, func(t *testing.T, c redis.UniversalClient, p *queue.Producer) {
		ctx := t.Context()
		client := asynq.NewClientFromRedisClient(c)
		for _, task := range []*asynq.Task{
			asynq.NewTaskWithHeaders("odd", []byte("\xff\x00"), map[string]string{"a": "b"}), asynq.NewTask("", nil), asynq.NewTask("large", bytes.Repeat([]byte("x"), 8<<20)),
		} {
			_, err := client.Enqueue(task, asynq.Queue(testQueue), asynq.Group("noop:00"), asynq.Retention(time.Hour), asynq.MaxRetry(3))
			if task.Type() != "" {
				testkit.Must(t, err)
			}
		}
		testkit.Must(t, c.HSet(ctx, "asynq:{baler}:t:broken", "msg", "\xff\xff", "state", "aggregating").Err())
		testkit.Must(t, c.ZAdd(ctx, "asynq:{baler}:g:noop:00", redis.Z{Member: "broken"}, redis.Z{Member: "gone"}).Err())
		testkit.Must(t, c.ZAdd(ctx, "baler:{baler}:due-groups", redis.Z{Member: "noop:00"}).Err())
		taken, _, err := p.TakeDue(ctx, testQueue, time.Minute, 100)
		testkit.Must(t, err)
		got := map[string]bool{}
		for _, task := range taken.Tasks {
			got[fmt.Sprintf("%q %q", task.Type(), task.Payload())] = true
		}
		if !got[`"odd" "\xff\x00"`] || !got[`"" "\xff\xff"`] || len(got) != 2 {
			t.Errorf("took %v", got)
		}
		if beginnings, err := p.TakeOversized(ctx, testQueue); err != nil || len(beginnings) != 1 {
			t.Errorf("%d dead letters, %v", len(beginnings), err)
		}
	})
}

func TestFilesWakeWorkers(t *testing.T) {
	t.Parallel()
	eachQueue(t, func(t *testing.T, _ redis.UniversalClient, p *queue.Producer) {
		wake, end := p.WakeUps(t.Context(), []string{"elsewhere", testQueue})
		defer end()
		waited := time.Duration(0)
		testkit.Eventually(t, time.Minute, func() error {
			waited += time.Minute // before all others each time; one may come before the subscription
			enqueueFiles(t, p, "noop", 1, 1, waited)
			select {
			case <-wake:
				return nil
			case <-time.After(20 * time.Millisecond):
				return fmt.Errorf("no wake-up after %s", waited)
			}
		})
	})
}

// Files whose group has no record of when it is due are found by asynq's aggregation, and taken like
// others: asynq itself takes none, because it would keep what a dead worker has taken for two minutes.
func TestGroupsWithoutARecordAreFound(t *testing.T) {
	t.Parallel()
	eachQueue(t, func(t *testing.T, c redis.UniversalClient, p *queue.Producer) {
		ctx := t.Context()
		enqueueFiles(t, p, "noop", 1, 40, time.Hour)
		testkit.Must(t, c.Del(ctx, "baler:{baler}:due-groups").Err())
		in := queue.NewServerClient(c, queue.ServerClientOptions{Queues: []string{testQueue}, Most: 1, Poll: time.Millisecond})
		t.Cleanup(in.Stop)
		serve(t, in, asynq.Config{
			GroupGracePeriod: time.Second,
			GroupAggregator: asynq.GroupAggregatorFunc(func(group string, _ []*asynq.Task) *asynq.Task {
				t.Errorf("asynq took %s", group)
				return nil
			}),
		}, func(context.Context, *asynq.Task) error { return nil })
		found := make(map[int64]bool)
		testkit.Eventually(t, time.Minute, func() error {
			taken, _, err := p.TakeDue(ctx, testQueue, time.Millisecond, 100)
			if err != nil {
				return err
			}
			if taken != nil {
				for _, no := range filesOf(t, taken) {
					if found[no] {
						t.Errorf("file %d was taken twice", no)
					}
					found[no] = true
				}
				testkit.Must(t, p.RemoveTaken(ctx, taken))
			}
			if len(found) < 40 {
				return fmt.Errorf("%d files were found", len(found))
			}
			return nil
		})
	})
}

// A record that asynq's aggregation has made before the producer's does not delay files.
func TestEarlierRecordCounts(t *testing.T) {
	t.Parallel()
	eachQueue(t, func(t *testing.T, _ redis.UniversalClient, p *queue.Producer) {
		ctx := t.Context()
		for _, waited := range []time.Duration{0, time.Hour, 0} {
			enqueueFiles(t, p, "noop", 1, 1, waited) // one message, recorded three times
		}
		taken, left, err := p.TakeDue(ctx, testQueue, time.Minute, 1000)
		testkit.Must(t, err)
		if taken == nil || len(filesOf(t, taken)) != 1 {
			t.Errorf("taken: %+v; the next is due in %s", taken, left)
		}
	})
}
