package systemtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// silent returns an address that accepts connections and never answers, like a host behind
// a broken firewall.
func silent(t *testing.T) string {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, ln.Close()) })
	return ln.Addr().String()
}

// refusing returns an address on which nothing listens.
func refusing(t *testing.T) string {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	testkit.Must(t, ln.Close())
	return ln.Addr().String()
}

// When a service does not answer, Open says within seconds which one, where, and what to
// do.
func TestOpenSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]struct {
		set   func(c *config.Config)
		wants []string
	}{
		"redis refuses": {func(c *config.Config) { c.Redis.URL = "redis://:secret@" + refusing(t) }, []string{"Redis", "127.0.0.1", "BALER_REDIS_URL"}},
		"redis silent":  {func(c *config.Config) { c.Redis.URL = "redis://:secret@" + silent(t) }, []string{"Redis", "127.0.0.1", "BALER_REDIS_URL"}},
		"redis url":     {func(c *config.Config) { c.Redis.URL = "http://localhost" }, []string{"BALER_REDIS_URL"}},
		"mysql refuses": {func(c *config.Config) { c.Database.URL = "mysql://baler:secret@" + refusing(t) + "/baler" }, []string{"database", "127.0.0.1", "BALER_DATABASE_URL"}},
		"mysql silent":  {func(c *config.Config) { c.Database.URL = "mysql://baler:secret@" + silent(t) + "/baler" }, []string{"database", "127.0.0.1", "BALER_DATABASE_URL"}},
		"mysql url":     {func(c *config.Config) { c.Database.URL = "postgres://u:secret@h/d" }, []string{"BALER_DATABASE_URL", "sqlite:PATH"}},
		"sqlite place":  {func(c *config.Config) { c.Database.URL = "sqlite:/dev/null/baler.db" }, []string{"/dev/null/baler.db", "BALER_DATABASE_URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c config.Config
			backends[0].set(t, &c)
			broken.set(&c)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			b, err := baler.Open(ctx, c, baler.Options{Registry: builtin.Registry()})
			if err == nil {
				t.Fatal(errors.Join(errors.New("opened although a service does not answer"), b.Close()))
			}
			if ctx.Err() != nil {
				t.Error("it waited until the deadline of the test")
			}
			for _, want := range broken.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error contains the password, or has several lines: %v", err)
			}
		})
	}
}

func TestOpenRefusesADatabaseOfANewerVersion(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		open(t, c, nil)
		execSQL(t, c.Database.URL, "INSERT INTO baler_migrations (id) VALUES ('9999_future')")
		b, err := baler.Open(t.Context(), c, baler.Options{Registry: builtin.Registry()})
		if err == nil {
			t.Fatal(errors.Join(errors.New("opened"), b.Close()))
		}
		if !errors.Is(err, db.ErrSchemaNewer) || !strings.Contains(err.Error(), "9999_future") {
			t.Errorf("got %v", err)
		}
	})
}

// When a Redis has messages of other programs in Baler's queues, they become dead letters
// and are acknowledged, and the worker continues. The same holds for messages in a group.
func TestMessagesOfOtherPrograms(t *testing.T) {
	t.Parallel()
	c := servers(t)
	c.Group.Grace, c.Group.MaxDelay = time.Second, time.Second
	b := open(t, c, nil)
	work(t, b)
	opt, err := asynq.ParseRedisURI(c.Redis.URL)
	testkit.Must(t, err)
	client := asynq.NewClient(opt)
	t.Cleanup(func() { testkit.Must(t, client.Close()) })

	real := wait(t, b, submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 3)}, Recipe: builtinRecipe(t, "noop")}).UUID)
	group := asynq.Group(tasks.GroupName("noop", 3))
	strangers := []struct {
		task *asynq.Task
		opts []asynq.Option
	}{
		{asynq.NewTask("email:send", []byte("hello")), nil},
		{asynq.NewTask("email:send", nil), nil},
		{asynq.NewTask(tasks.TypeBatch, []byte("{")), nil},
		{asynq.NewTask(tasks.TypeBatch, nil), nil},
		{asynq.NewTask("email:send", []byte("hello")), []asynq.Option{group}},
		{asynq.NewTask(tasks.TypeFile, nil), []asynq.Option{group}},
		{asynq.NewTask(tasks.TypeFile, []byte("\xff\x00")), []asynq.Option{group}},
		{asynq.NewTask(tasks.TypeFile, tasks.NewFileMessage(4711, 1, &tasks.File{No: 1}).Encode()), []asynq.Option{group}},
		{asynq.NewTask(tasks.TypeFile, tasks.NewFileMessage(real.ID, 9, &tasks.File{No: 1}).Encode()), []asynq.Option{group}},
		// Messages in Baler's format that name rows which do not exist.
		{asynq.NewTask(tasks.TypeBatch, tasks.NewBatchMessage(&tasks.Batch{ID: 999_999, Transfer: real.ID, Step: 1, Attempt: 1, Files: tasks.NewRanges([]int64{1})}).Encode()), nil},
		{asynq.NewTask(tasks.TypeFile, tasks.NewFileMessage(real.ID, 1, &tasks.File{No: 77}).Encode()), []asynq.Option{group}},
	}
	for _, s := range strangers {
		_, err := client.Enqueue(s.task, s.opts...)
		testkit.Must(t, err)
	}

	tr := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 50)}, Recipe: builtinRecipe(t, "noop"), Via: tasks.ViaGroup})
	audit(t, b, wait(t, b, tr.UUID))
	s, err := store.Open(t.Context(), c.Database.URL, store.Options{})
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, s.Close()) })
	eventually(t, func() error {
		letters, err := s.DeadLetters(context.Background(), 0, 100)
		if err == nil && len(letters) != len(strangers) {
			err = fmt.Errorf("%d dead letters, want %d", len(letters), len(strangers))
		}
		return err
	})
	inspector := asynq.NewInspector(opt)
	t.Cleanup(func() { testkit.Must(t, inspector.Close()) })
	eventually(t, func() error {
		info, err := inspector.GetQueueInfo(baler.DefaultQueue)
		if err == nil && info.Size+info.Archived > 0 {
			err = fmt.Errorf("still in the queue: %+v", info)
		}
		return err
	})
	real, err = b.Transfer(t.Context(), real.UUID)
	testkit.Must(t, err)
	audit(t, b, real)
}

// servers is a configuration on real servers.
func servers(t *testing.T) config.Config {
	t.Helper()
	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	testkit.Must(t, err)
	c.Worker.Grace = 5 * time.Second
	c.Redis.URL, c.Database.URL, c.Roots = testkit.Redis(t), testkit.MySQL(t), testkit.Roots()
	return c
}

// execSQL runs a statement directly on the database.
func execSQL(t *testing.T, url, statement string) {
	t.Helper()
	_, err := testkit.Database(t, url).ExecContext(t.Context(), statement)
	testkit.Must(t, err)
}
