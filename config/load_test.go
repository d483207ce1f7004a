package config_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

var update = flag.Bool("update", false, "write the golden files and the documentation's table")

// home is what an environment must hold for the defaults to be complete.
const home = "HOME=/home/ada"

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "baler.yaml")
	testkit.WriteFile(t, path, content)
	return path
}

func load(t *testing.T, o config.Sources) config.Config {
	t.Helper()
	c, err := config.Load(o)
	testkit.Must(t, err)
	return c
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := load(t, config.Sources{Env: []string{home}})
	if !reflect.DeepEqual(c, config.Config{}.WithDefaults([]string{home})) {
		t.Error("Load of nothing and WithDefaults differ")
	}
	if c.Redis.URL != "embedded" || c.Database.URL != "sqlite:/home/ada/.local/state/baler/baler.db" ||
		c.StateDir != "/home/ada/.local/state/baler" || !*c.Database.AutoMigrate ||
		c.Worker.Concurrency < 4 || c.Worker.Slots < 1 || c.Worker.Name == "" ||
		!reflect.DeepEqual(c.Worker.Queues, map[string]int{"default": 1}) {
		t.Errorf("got %+v", c)
	}
	c = load(t, config.Sources{Env: []string{home, "XDG_STATE_HOME=/state"}})
	if c.Database.URL != "sqlite:/state/baler/baler.db" {
		t.Errorf("XDG_STATE_HOME is not used: %s", c.Database.URL)
	}
	c = load(t, config.Sources{Env: []string{home, "BALER_STATE_DIR=/mine"}})
	if c.Database.URL != "sqlite:/mine/baler.db" {
		t.Errorf("BALER_STATE_DIR is not used: %s", c.Database.URL)
	}
}

func TestWithDefaultsKeepsWhatIsSet(t *testing.T) {
	t.Parallel()
	given := config.Config{
		Database: config.DatabaseSettings{AutoMigrate: new(false)},
		Worker:   config.WorkerSettings{Name: "w", Grace: time.Minute, Queues: map[string]int{"low": 1}},
		Batch:    tasks.BatchPolicy{MaxItems: 7},
	}
	c := given.WithDefaults(nil)
	if *c.Database.AutoMigrate || c.Worker.Name != "w" || c.Worker.Grace != time.Minute ||
		len(c.Worker.Queues) != 1 || c.Worker.Queues["low"] != 1 || c.Batch.MaxItems != 7 || c.Batch.MaxBytes != 256<<20 {
		t.Errorf("got %+v", c)
	}
}

// Every subset of the sources, and always the strongest of it wins.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	for sources := range 8 {
		o := config.Sources{Env: []string{home}}
		want := 128
		if sources&1 != 0 {
			o.File, want = write(t, "batch: {max_items: 10, max_delay: 3s}\n"), 10
		}
		if sources&2 != 0 {
			o.Env, want = append(o.Env, "BALER_BATCH_MAX_ITEMS=20"), 20
		}
		if sources&4 != 0 {
			o.Flags, want = map[string]any{"batch.max_items": 30}, 30
		}
		c := load(t, o)
		if c.Batch.MaxItems != want {
			t.Errorf("sources %03b: %d, want %d", sources, c.Batch.MaxItems, want)
		}
		if beside := c.Batch.MaxDelay; (beside == 3*time.Second) != (sources&1 != 0) {
			t.Errorf("sources %03b: max_delay is %s: one layer's section hides another's", sources, beside)
		}
	}
}

func TestEveryKindFromEverySource(t *testing.T) {
	t.Parallel()
	want := config.Config{
		Redis:    config.RedisSettings{URL: "redis://r:1", PoolSize: 3},
		Database: config.DatabaseSettings{URL: "sqlite:/x.db", AutoMigrate: new(false)},
		Roots:    []string{"/a", "/b c"},
		Worker:   config.WorkerSettings{Queues: map[string]int{"high": 5, "low": 1}, Grace: 90 * time.Second},
		Record:   config.RecordSettings{MaxOutput: 2 << 10},
		Webhook:  config.WebhookSettings{URLs: []string{"https://a/b?c", "http://u:p@d:1"}, Secret: "hush"},
		HTTP:     config.HTTPSettings{MonitorReadOnly: new(false), Hosts: []string{"baler.example", "b"}},
	}.WithDefaults([]string{home})
	file := write(t, `
redis: {url: redis://r:1, pool_size: 3}
database:
  url: sqlite:/x.db
  auto_migrate: false
roots:
  - /a
  - /b c
worker: {queues: {high: 5, low: 1}, grace: 1m30s}
record: {max_output: 2KiB}
webhook: {urls: [https://a/b?c, "http://u:p@d:1"], secret: hush}
http: {monitor_read_only: false, hosts: [baler.example, b]}
batch:   # nothing behind it
`)
	env := []string{
		home, "BALER_REDIS_URL=redis://r:1", "BALER_REDIS_POOL_SIZE=3", "BALER_DATABASE_URL=sqlite:/x.db",
		"BALER_DATABASE_AUTO_MIGRATE=false", "BALER_ROOTS=/a" + string(os.PathListSeparator) + "/b c",
		"BALER_WORKER_QUEUES=high=5, low=1", "BALER_WORKER_GRACE=90s", "BALER_RECORD_MAX_OUTPUT=2048",
		"BALER_HTTP_MONITOR_READ_ONLY=0", "BALER_HTTP_HOSTS=baler.example, b",
		"BALER_WEBHOOK_URLS=https://a/b?c, http://u:p@d:1,", "BALER_WEBHOOK_SECRET=hush", "BALER_LOG_LEVEL=", "BALER_TEST_ANYTHING=1", "OTHER=1",
	}
	flags := map[string]any{
		"redis.url": "redis://r:1", "redis.pool_size": 3, "database.url": "sqlite:/x.db", "database.auto_migrate": false,
		"roots": []string{"/a", "/b c"}, "worker.queues": map[string]int{"high": 5, "low": 1},
		"worker.grace": 90 * time.Second, "record.max_output": config.Size(2048), "http.monitor_read_only": false, "http.hosts": []string{"baler.example", "b"},
		"webhook.urls": []string{"https://a/b?c", "http://u:p@d:1"}, "webhook.secret": "hush",
	}
	for name, o := range map[string]config.Sources{
		"file":        {Env: []string{home}, File: file},
		"environment": {Env: env},
		"flags":       {Env: []string{home}, Flags: flags},
	} {
		if got := load(t, o); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got\n%+v, want\n%+v", name, got, want)
		}
	}
}

func TestHandlers(t *testing.T) {
	t.Parallel()
	c := load(t, config.Sources{
		Env:   []string{home},
		File:  write(t, "handlers:\n  checksum:\n    batch: {max_bytes: 1GiB, target: 5s}\n    timeout: 1h\n    retry: {attempts: 9}\n  x-ray: {}\n"),
		Flags: map[string]any{"handlers.checksum.timeout": "2h"},
	})
	want := map[string]config.HandlerSettings{
		"checksum": {Batch: tasks.BatchPolicy{MaxBytes: 1 << 30, Target: 5 * time.Second}, Timeout: 2 * time.Hour, Retry: tasks.RetryPolicy{Attempts: 9}},
		"x-ray":    {},
	}
	if !reflect.DeepEqual(c.Handlers, want) {
		t.Errorf("got %+v", c.Handlers)
	}
}

func TestWhichFile(t *testing.T) {
	t.Parallel()
	named := write(t, "batch: {max_items: 1}\n")
	byVariable := write(t, "batch: {max_items: 2}\n")
	fallback := write(t, "batch: {max_items: 3}\n")
	missing := filepath.Join(t.TempDir(), "none.yaml")
	variable := "BALER_CONFIG=" + byVariable
	for name, tc := range map[string]struct {
		o    config.Sources
		want int
	}{
		"named":            {config.Sources{Env: []string{home, variable}, File: named, Fallback: fallback}, 1},
		"variable":         {config.Sources{Env: []string{home, variable}, Fallback: fallback}, 2},
		"fallback":         {config.Sources{Env: []string{home}, Fallback: fallback}, 3},
		"missing fallback": {config.Sources{Env: []string{home}, Fallback: missing}, 128},
		"none":             {config.Sources{Env: []string{home}}, 128},
	} {
		if c := load(t, tc.o); c.Batch.MaxItems != tc.want {
			t.Errorf("%s: %d", name, c.Batch.MaxItems)
		}
	}
	for _, o := range []config.Sources{{File: missing}, {Env: []string{"BALER_CONFIG=" + missing}}} {
		if _, err := config.Load(o); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a named file is missing: %v", err)
		}
	}
}

func TestFilesThatReadWell(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "# nothing\n", "---\n", "batch: &b {max_items: 4}\nhandlers:\n  x: {batch: *b}\n"} {
		load(t, config.Sources{Env: []string{home}, File: write(t, content)})
	}
}

func TestProblemsGolden(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.Sources{
		Env: []string{
			home, "BALER_DATABSE_URL=x", "BALER_DB=x", "BALER_WORKER_NAME=" + strings.Repeat("x", 300),
			"BALER_RECORD_MAX_ITEMS=lots", "BALER_RECORD_MAX_DELAY=0s",
		},
		File:  "testdata/bad.yaml",
		Flags: map[string]any{"http.listn": ":1", "redis.pool_size": -1},
	})
	if _, ok := errors.AsType[config.Errors](err); !ok {
		t.Fatalf("got %T: %v", err, err)
	}
	testkit.Golden(t, "testdata/bad.golden", err.Error()+"\n", *update)
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"redis:\n  url: redis://:hush@h\n bad\n": ":3: not YAML: ",
		"- a\n":                                  ":1: not YAML: ",
		"a: 1\na: 2\n":                           ":2: not YAML: ",
	} {
		path := write(t, content)
		_, err := config.Load(config.Sources{Env: []string{home}, File: path})
		if err == nil || !strings.HasPrefix(err.Error(), path+want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestValidateAlone(t *testing.T) {
	t.Parallel()
	if err := (config.Config{}).WithDefaults([]string{home}).Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	c := config.Config{}.WithDefaults(nil)
	err := c.Validate()
	want := "database.url: is not set, and there is no state folder for the default\n" +
		"state_dir: is not set, nor is HOME or XDG_STATE_HOME; set BALER_STATE_DIR"
	if err == nil || err.Error() != want {
		t.Errorf("without a home: %v", err)
	}
	for _, change := range []func(*config.Config){
		func(c *config.Config) { c.Group.Grace = 999 * time.Millisecond },
		func(c *config.Config) { c.Group.MaxDelay = 0 },
		func(c *config.Config) { c.Worker.Grace = 0 },
		func(c *config.Config) { c.Worker.Queues = nil },
		func(c *config.Config) { c.Record.MaxOutput = 0 },
		func(c *config.Config) { c.HTTP.Listen = "127.0.0.1:70000" },
	} {
		c := config.Config{}.WithDefaults([]string{home})
		if change(&c); c.Validate() == nil {
			t.Errorf("accepted %+v", c)
		}
	}
	c.Group.Grace = 999 * time.Millisecond
	if p, ok := errors.AsType[*config.Error](c.Validate()); !ok || p.Key != "database.url" {
		t.Errorf("problems are not typed: %v", p)
	}
}
