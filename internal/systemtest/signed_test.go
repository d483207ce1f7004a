package systemtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/signing"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

const (
	signingKey      = "the signing key of these tests: 0123456789"
	otherSigningKey = "a signing key that others may have: 012345"
)

// attacker can write to Redis, and can read the database to see what happens.
type attacker struct {
	t         *testing.T
	opt       asynq.RedisConnOpt
	client    *asynq.Client
	inspector *asynq.Inspector
	redis     redis.UniversalClient
	store     *store.Store
}

func newAttacker(t *testing.T, c config.Config) *attacker {
	t.Helper()
	opt, err := asynq.ParseRedisURI(c.Redis.URL)
	testkit.Must(t, err)
	client, ok := opt.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		t.Fatal("asynq makes an unexpected kind of client")
	}
	s, err := store.Open(t.Context(), c.Database.URL, store.Options{})
	testkit.Must(t, err)
	a := &attacker{t, opt, asynq.NewClient(opt), asynq.NewInspector(opt), client, s}
	for _, open := range []interface{ Close() error }{a.client, a.inspector, a.redis, a.store} {
		testkit.CloseAtEnd(t, open)
	}
	return a
}

func (a *attacker) send(kind string, payload []byte, signature string, opts ...asynq.Option) {
	a.t.Helper()
	var headers map[string]string
	if signature != "" {
		headers = map[string]string{signing.Header: signature}
	}
	opts = append([]asynq.Option{asynq.MaxRetry(1000), asynq.Timeout(time.Hour)}, opts...)
	_, err := a.client.Enqueue(asynq.NewTaskWithHeaders(kind, payload, headers), opts...)
	testkit.Must(a.t, err)
}

// emptied waits until the queue has nothing.
func (a *attacker) emptied() {
	a.t.Helper()
	eventually(a.t, func() error {
		q, err := a.inspector.GetQueueInfo("default")
		if err == nil && q.Size > 0 {
			err = fmt.Errorf("%d messages in the queue", q.Size)
		}
		return err
	})
}

func (a *attacker) deadLetters() int {
	a.t.Helper()
	letters, err := a.store.DeadLetters(a.t.Context(), 0, 1000)
	testkit.Must(a.t, err)
	return len(letters)
}

// laterBatch returns the batch of the second attempt, which waits for an hour.
func (a *attacker) laterBatch(url string) *tasks.Batch {
	a.t.Helper()
	var id int64
	eventually(a.t, func() error {
		return testkit.Database(a.t, url).QueryRowContext(a.t.Context(), "SELECT id FROM batches WHERE attempt = 2").Scan(&id)
	})
	c, err := a.store.FindBatch(a.t.Context(), id)
	testkit.Must(a.t, err)
	return &c.Batch
}

// failsOnce registers a handler whose first attempts fail. The second one may be held up.
func failsOnce(t *testing.T, ran *atomic.Int64, second func(ctx context.Context) error) *handlers.Registry {
	t.Helper()
	registry := &handlers.Registry{}
	testkit.Must(t, registry.Register("flaky", handlers.HandlerFunc(func(ctx context.Context, jobs []*handlers.Job) error {
		ran.Add(int64(len(jobs)))
		if jobs[0].Attempt() == 1 {
			return errors.New("not yet")
		}
		return second(ctx)
	})))
	return registry
}

const flakyRecipe = "name: t\nsteps: [{handler: flaky, retry: {attempts: 2, backoff: 4h, max_backoff: 4h}}]"

func nothing(context.Context) error { return nil }

// A worker with keys does nothing with messages that are not signed with one of them for their
// queue: it neither runs, nor reads the database, nor records a dead letter. The batches that they
// name are sent and run as if nothing had happened. Without keys, a forged message of a batch that
// waits for its next attempt makes it run early: that is what this test would see.
func TestOnlySignedMessagesRun(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][]string{"with keys": {signingKey}, "without keys": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := servers(t)
			c.Redis.SigningKeys = keys
			c.Dispatch.Resend = time.Second
			var ran atomic.Int64
			b := open(t, c, failsOnce(t, &ran, nothing))
			work(t, b)
			const files = 3
			tr := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk, Recipe: yaml(t, flakyRecipe)})
			a := newAttacker(t, c)
			later := a.laterBatch(c.Database.URL)
			payload := tasks.NewBatchMessage(later).Encode()
			as := asynq.TaskID(queue.BatchTaskID(later.ID))
			if keys == nil {
				a.send(tasks.TypeBatch, payload, "", as)
				eventually(t, func() error {
					if n := ran.Load(); n <= files {
						return fmt.Errorf("%d files ran", n)
					}
					return nil
				})
				testkit.Must(t, a.store.MakeAllDue(t.Context()))
				audit(t, b, wait(t, b, tr.UUID))
				return
			}
			own, other := signing.New(keys), signing.New([]string{otherSigningKey})
			file := tasks.NewFileMessage(tr.ID, 1, &tasks.File{No: 1}).Encode()
			a.send(tasks.TypeBatch, payload, other.Sign("default", tasks.TypeBatch, payload))
			a.send(tasks.TypeBatch, payload, own.Sign("night", tasks.TypeBatch, payload))
			a.send(tasks.TypeBatch, payload, own.Sign("default", tasks.TypeFile, payload))
			a.send(tasks.TypeBatch, []byte("garbage"), "")
			a.send("email:send", nil, "")
			a.send(tasks.TypeFile, file, "")
			a.send(tasks.TypeFile, file, "", asynq.Group(tasks.GroupName("flaky", 3)))
			a.send(tasks.TypeBatch, make([]byte, 1<<20), "")
			a.emptied()
			a.send(tasks.TypeBatch, payload, "", as)
			a.emptied()
			if n := ran.Load(); n != files {
				t.Errorf("%d files ran, want %d", n, files)
			}
			if n := a.deadLetters(); n > 0 {
				t.Errorf("%d dead letters", n)
			}
			// Its time comes: the message is sent with its signature.
			a.send(tasks.TypeBatch, payload, "", as)
			testkit.Must(t, a.store.MakeAllDue(t.Context()))
			audit(t, b, wait(t, b, tr.UUID))
			if n := ran.Load(); n != 2*files {
				t.Errorf("%d files ran, want %d", n, 2*files)
			}
		})
	}
}

// A signed message that is put into the queue again does nothing: while its batch runs, the batch
// is taken; afterwards, the ledger does not have it.
func TestReplayedMessagesDoNothing(t *testing.T) {
	t.Parallel()
	c := servers(t)
	c.Redis.SigningKeys = []string{signingKey}
	var ran atomic.Int64
	begun, release := make(chan struct{}, 100), make(chan struct{})
	registry := register(t, "slow", func(ctx context.Context, _ *handlers.Job) error {
		ran.Add(1)
		begun <- struct{}{}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	b := open(t, c, registry)
	work(t, b)
	tr := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 1)}, Via: tasks.ViaBulk, Recipe: yaml(t, "name: t\nsteps: [{handler: slow}]")})
	<-begun
	a := newAttacker(t, c)
	active, err := a.inspector.ListActiveTasks("default")
	testkit.Must(t, err)
	if len(active) != 1 || active[0].Headers[signing.Header] == "" {
		t.Fatalf("active tasks %+v", active)
	}
	m := active[0]
	replay := func() { a.send(m.Type, m.Payload, m.Headers[signing.Header]) } // under another ID: the queue has this one
	replay()
	eventually(t, func() error {
		if n := a.deadLetters(); n != 1 { // signed, and not as Baler sends it
			return fmt.Errorf("%d dead letters, want 1", n)
		}
		return nil
	})
	close(release)
	audit(t, b, wait(t, b, tr.UUID))
	for range 3 {
		a.send(m.Type, m.Payload, m.Headers[signing.Header], asynq.TaskID(m.ID))
		a.emptied()
	}
	audit(t, b, wait(t, b, tr.UUID))
	if n := ran.Load(); n != 1 {
		t.Errorf("the file ran %d times", n)
	}
}

// What asynq keeps beside a message is not signed. A deadline, or asynq's command to cancel, stops
// a run and sends its batch back; no result says so, and no attempt is used up.
func TestDeadlinesAndCancelsInRedisRecordNothing(t *testing.T) {
	t.Parallel()
	for name, attack := range map[string]func(a *attacker, payload []byte, as asynq.Option, begun <-chan struct{}){
		"deadline": func(a *attacker, payload []byte, as asynq.Option, _ <-chan struct{}) {
			a.send(tasks.TypeBatch, payload, "", as, asynq.Timeout(time.Second))
		},
		"cancel": func(a *attacker, payload []byte, as asynq.Option, begun <-chan struct{}) {
			a.send(tasks.TypeBatch, payload, "", as)
			<-begun
			active, err := a.inspector.ListActiveTasks("default")
			testkit.Must(a.t, err)
			for _, task := range active {
				testkit.Must(a.t, a.inspector.CancelProcessing(task.ID))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := servers(t)
			c.Dispatch.Resend = time.Second
			var ran, stopped atomic.Int64
			begun := make(chan struct{}, 100)
			b := open(t, c, failsOnce(t, &ran, func(ctx context.Context) error {
				begun <- struct{}{}
				if stopped.Load() > 0 {
					return nil
				}
				<-ctx.Done()
				stopped.Add(1)
				return ctx.Err()
			}))
			work(t, b)
			tr := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 1)}, Via: tasks.ViaBulk, Recipe: yaml(t, flakyRecipe)})
			a := newAttacker(t, c)
			later := a.laterBatch(c.Database.URL)
			attack(a, tasks.NewBatchMessage(later).Encode(), asynq.TaskID(queue.BatchTaskID(later.ID)), begun)
			done := wait(t, b, tr.UUID)
			lines := audit(t, b, done)
			if stopped.Load() != 1 || len(lines) != 1 || lines[0].Outcome != tasks.OutcomeSucceeded || lines[0].Attempt != 2 {
				t.Errorf("stopped %d times; results %+v", stopped.Load(), lines)
			}
		})
	}
}

// A message that is moved into another queue does not make the workers of that queue run it.
func TestMessagesStayInTheirQueue(t *testing.T) {
	t.Parallel()
	c := servers(t)
	var ran atomic.Int64
	b := open(t, c, register(t, "here", func(context.Context, *handlers.Job) error { ran.Add(1); return nil }))
	work(t, b)
	submit(t, b, baler.Submission{
		Paths: []string{testkit.NumberedTree(t, 1)}, Via: tasks.ViaBulk, Queue: "gpu", Recipe: yaml(t, "name: t\nsteps: [{handler: here}]"),
	})
	a := newAttacker(t, c)
	var id string
	eventually(t, func() error {
		pending, err := a.inspector.ListPendingTasks("gpu")
		if err == nil && len(pending) == 0 {
			err = errors.New("nothing in the queue")
		}
		if err == nil {
			id = pending[0].ID
		}
		return err
	})
	ctx := t.Context()
	fields, err := a.redis.HGetAll(ctx, "asynq:{gpu}:t:"+id).Result()
	testkit.Must(t, err)
	testkit.Must(t, a.redis.HSet(ctx, "asynq:{default}:t:"+id, fields).Err())
	testkit.Must(t, a.redis.LPush(ctx, "asynq:{default}:pending", id).Err())
	eventually(t, func() error {
		if n := a.deadLetters(); n != 1 {
			return fmt.Errorf("%d dead letters, want 1", n)
		}
		return nil
	})
	if n := ran.Load(); n > 0 {
		t.Errorf("ran %d times", n)
	}
}

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var adminURL = regexp.MustCompile(`admin server listens" url=(\S+)`)

// openMeasured opens a system whose worker's counter of refused messages can be asked for.
func openMeasured(t *testing.T, c config.Config, registry *handlers.Registry) (b *baler.Baler, refused func() string) {
	t.Helper()
	var log safeBuffer
	b, err := baler.Open(t.Context(), c, baler.Options{
		Registry: registry, Log: slog.New(slog.NewTextHandler(&log, nil)), HeartbeatInterval: 250 * time.Millisecond,
	})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, b)
	work(t, b)
	return b, func() string {
		t.Helper()
		log.mu.Lock()
		found := adminURL.FindStringSubmatch(log.text.String())
		log.mu.Unlock()
		if found == nil {
			t.Fatal("the worker has no admin server")
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, found[1]+"/metrics", nil)
		testkit.Must(t, err)
		answer, err := http.DefaultClient.Do(request)
		testkit.Must(t, err)
		defer func() { testkit.Must(t, answer.Body.Close()) }()
		text, err := io.ReadAll(answer.Body)
		testkit.Must(t, err)
		return strings.Join(regexp.MustCompile(`baler_messages_refused_total\{.*[1-9].*`).FindAllString(string(text), -1), "\n")
	}
}

// While keys are exchanged, processes have them in different orders. Nothing is refused.
func TestKeysAreRotatedWhileWorkersRun(t *testing.T) {
	t.Parallel()
	c := servers(t)
	orders := [][]string{{signingKey, otherSigningKey}, {otherSigningKey, signingKey}}
	var systems []*baler.Baler
	var refused []func() string
	for i, keys := range orders {
		c.Redis.SigningKeys, c.Worker.Name = keys, fmt.Sprintf("worker %d", i)
		b, counter := openMeasured(t, c, register(t, "any", func(context.Context, *handlers.Job) error { return nil }))
		systems, refused = append(systems, b), append(refused, counter)
	}
	for i := range 6 {
		via := []tasks.Via{tasks.ViaBulk, tasks.ViaGroup}[i/2%2]
		b := systems[i%2]
		audit(t, b, wait(t, b, submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 40)}, Via: via,
			Recipe: yaml(t, "name: t\nsteps: [{handler: any, batch: {max_items: 3}}, {handler: any, name: again}]"),
		}).UUID))
	}
	for i, counter := range refused {
		if lines := counter(); lines != "" {
			t.Errorf("worker %d has refused messages: %s", i, lines)
		}
	}
}

// What a process without the keys sends is refused and then sent by one that has them.
func TestFilesOfProcessesWithoutKeysAreNotLost(t *testing.T) {
	t.Parallel()
	c := servers(t)
	c.Dispatch.Lag, c.Dispatch.Resend = time.Second, time.Second
	c.Redis.SigningKeys = []string{signingKey}
	registry := register(t, "any", func(context.Context, *handlers.Job) error { return nil })
	b, refused := openMeasured(t, c, registry)
	c.Redis.SigningKeys = nil
	producer := open(t, c, registry)
	audit(t, b, wait(t, b, submit(t, producer, baler.Submission{
		Paths: []string{testkit.NumberedTree(t, 20)}, Via: tasks.ViaGroup, Recipe: yaml(t, "name: t\nsteps: [{handler: any}]"),
	}).UUID))
	const want = `baler_messages_refused_total{reason="unsigned"} 20`
	if lines := refused(); lines != want {
		t.Errorf("counted %q, want %q", lines, want)
	}
}

// Serve, a process that watches a folder and one that submits say in their logs that a live
// worker has other keys, whichever of them has keys, and nothing when they agree.
func TestServeWatchAndSubmitSayThatKeysDiffer(t *testing.T) {
	t.Parallel()
	with := servers(t)
	with.Redis.SigningKeys = []string{signingKey}
	with.Worker.AdminListen = config.AdminOff
	without := with
	without.Redis.SigningKeys = nil
	with.Worker.Name, without.Worker.Name = "signed", "plain"
	dir := t.TempDir()
	with.Roots, without.Roots = []string{dir}, []string{dir}
	file := testkit.WriteFileIn(t, dir, "a.txt", "alpha")
	noop := builtinRecipe(t, "noop")
	does := map[string]func(ctx context.Context, b *baler.Baler) error{
		"serve": func(ctx context.Context, b *baler.Baler) error {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			return b.Serve(ctx, ln, false)
		},
		"watch": func(ctx context.Context, b *baler.Baler) error {
			return b.Watch(ctx, baler.WatchSettings{Folder: dir, Settle: time.Hour, Each: baler.WatchEachFile}, baler.WatchOptions{Recipe: noop})
		},
		"submit": func(ctx context.Context, b *baler.Baler) error {
			_, _, err := b.Submit(ctx, baler.Submission{Paths: []string{file}, Recipe: noop, Via: tasks.ViaBulk})
			return err
		},
	}
	for name, c := range map[string]struct {
		worker, other config.Config
		want          string // empty: no warning
	}{
		"without keys":  {with, without, "worker signed refuses the messages of processes like this one, which has no keys"},
		"with keys":     {without, with, "worker plain has no keys, and this process has "},
		"with the same": {with, renamed(with), ""},
	} {
		t.Run(name, func(t *testing.T) { // one after the other: they share their servers
			defer work(t, openLogging(t, c.worker, io.Discard))()
			for what, do := range does {
				var log safeBuffer
				b := openLogging(t, c.other, &log)
				eventually(t, func() error { return seen(b, c.worker.Worker.Name) })
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- do(ctx, b) }()
				want := cmp.Or(c.want, `msg="the keys of signed messages agree between processes" workers=1`)
				eventually(t, func() error {
					if !strings.Contains(log.String(), want) {
						return fmt.Errorf("%s says: %s", what, log.String())
					}
					return nil
				})
				if what == "submit" { // it goes on when it has compared
					testkit.Must(t, <-ended)
					ended <- nil
				}
				cancel()
				if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", what, err)
				}
				if c.want == "" && strings.Contains(log.String(), "signed messages differ") {
					t.Errorf("%s warns: %s", what, log.String())
				}
			}
		})
	}
}

// A worker that starts beside one with other keys says so in its log, whichever of them has
// keys.
func TestProcessesWithOtherKeysSayThat(t *testing.T) {
	t.Parallel()
	with := servers(t)
	with.Redis.SigningKeys = []string{signingKey}
	without := with
	without.Redis.SigningKeys = nil
	with.Worker.Name, without.Worker.Name = "signed", "plain"
	for name, c := range map[string]struct {
		first, second config.Config
		want          string
	}{
		"without keys":   {with, without, "worker signed refuses the messages of processes like this one, which has no keys"},
		"with keys":      {without, with, "worker plain has no keys, and this process has "},
		"with the same":  {with, renamed(with), ""},
		"without either": {without, renamed(without), ""},
	} {
		t.Run(name, func(t *testing.T) { // one after the other: they share their servers
			var log safeBuffer
			stopFirst := work(t, openLogging(t, c.first, io.Discard))
			b := openLogging(t, c.second, &log)
			eventually(t, func() error { return seen(b, c.first.Worker.Name) })
			stop := work(t, b)
			eventually(t, func() error { return seen(b, c.second.Worker.Name) })
			eventually(t, func() error { // it registers before it says that it has started
				if !strings.Contains(log.String(), "worker started") {
					return errors.New(log.String())
				}
				return nil
			})
			warned := strings.Contains(log.String(), "level=WARN msg=\"the keys of signed messages differ")
			if warned != (c.want != "") || !strings.Contains(log.String(), c.want) || strings.Contains(log.String(), signingKey) {
				t.Errorf("the log: %s", log.String())
			}
			stop()
			stopFirst()
		})
	}
}

// openLogging opens a process without handlers whose log is read.
func openLogging(t *testing.T, c config.Config, log io.Writer) *baler.Baler {
	t.Helper()
	b, err := baler.Open(t.Context(), c, baler.Options{
		Registry: &handlers.Registry{}, HeartbeatInterval: 250 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, b)
	return b
}

func renamed(c config.Config) config.Config {
	c.Worker.Name += " too"
	return c
}

// seen reports whether a worker is alive.
func seen(b *baler.Baler, name string) error {
	workers, err := b.Workers(context.Background())
	if err == nil && !slices.ContainsFunc(workers, func(w tasks.Worker) bool { return w.Name == name }) {
		err = fmt.Errorf("worker %s has not started", name)
	}
	return err
}
